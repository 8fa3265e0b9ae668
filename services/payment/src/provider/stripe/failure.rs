//! Why nothing came of a payment, by what Stripe says.

use contracts::payment::Failure;

use super::error::Refused;

/// Of a payment that was tried: the error's code, and the bank's own where the bank said no.
pub(super) fn of_payment(code: Option<&str>, decline_code: Option<&str>) -> Failure {
    let code = code.unwrap_or_default();
    match (code, decline_code) {
        ("card_declined", Some(decline)) => of_bank(decline),
        (other, Some(decline)) => of_code(other).unwrap_or_else(|| of_bank(decline)),
        (other, None) => of_code(other).unwrap_or(Failure::Declined),
    }
}

/// Of a payment that Stripe did not even begin.
pub(super) fn of_request(refused: &Refused) -> Failure {
    let code = refused.code.as_deref();
    let known = code.and_then(of_code);
    match refused.param.as_deref() {
        _ if refused.kind == "card_error" => of_payment(code, refused.decline_code.as_deref()),
        _ if known.is_some() => known.unwrap_or(Failure::ProcessingError),
        Some("payment_method") => Failure::UnknownMethod,
        _ if refused.is_missing() => Failure::UnknownMethod,
        Some("amount" | "currency") => Failure::NotPermitted,
        Some(_) | None => Failure::ProcessingError,
    }
}

fn of_code(code: &str) -> Option<Failure> {
    let failure = match code {
        "expired_card" | "invalid_expiry_month" | "invalid_expiry_year" => Failure::ExpiredCard,
        "incorrect_cvc" | "invalid_cvc" => Failure::IncorrectCvc,
        "insufficient_funds" => Failure::InsufficientFunds,
        "authentication_required"
        | "payment_intent_authentication_failure"
        | "payment_intent_payment_attempt_expired" => Failure::NotAuthenticated,
        "processing_error" | "payment_intent_payment_attempt_failed" => Failure::ProcessingError,
        "payment_method_unexpected_state" | "payment_method_invalid_parameter" => {
            Failure::UnknownMethod
        }
        "amount_too_small"
        | "amount_too_large"
        | "currency_not_supported"
        | "payment_method_currency_mismatch" => Failure::NotPermitted,
        "charge_expired_for_capture" | "capture_charge_authorization_expired" => {
            Failure::AuthorizationEnded
        }
        _ => return None,
    };
    Some(failure)
}

/// What the card's bank gave as its reason.
fn of_bank(decline: &str) -> Failure {
    match decline {
        "insufficient_funds" => Failure::InsufficientFunds,
        "expired_card" | "invalid_expiry_month" | "invalid_expiry_year" => Failure::ExpiredCard,
        "incorrect_cvc" | "invalid_cvc" => Failure::IncorrectCvc,
        "authentication_required" | "authentication_not_handled" => Failure::NotAuthenticated,
        "lost_card" | "stolen_card" | "pickup_card" => Failure::LostOrStolen,
        "fraudulent" | "merchant_blacklist" | "security_violation" => Failure::Suspicious,
        "processing_error" | "issuer_not_available" | "try_again_later" | "reenter_transaction" => {
            Failure::ProcessingError
        }
        "card_not_supported"
        | "card_velocity_exceeded"
        | "currency_not_supported"
        | "invalid_amount"
        | "not_permitted"
        | "restricted_card"
        | "service_not_allowed"
        | "transaction_not_allowed"
        | "withdrawal_count_limit_exceeded" => Failure::NotPermitted,
        _ => Failure::Declined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_bank_says_is_told_apart() {
        let of = |decline| of_payment(Some("card_declined"), Some(decline));

        assert_eq!(of("generic_decline"), Failure::Declined);
        assert_eq!(of("insufficient_funds"), Failure::InsufficientFunds);
        assert_eq!(of("stolen_card"), Failure::LostOrStolen);
        assert_eq!(of("fraudulent"), Failure::Suspicious);
        assert_eq!(of("transaction_not_allowed"), Failure::NotPermitted);
        assert_eq!(of("try_again_later"), Failure::ProcessingError);
        assert_eq!(of("authentication_required"), Failure::NotAuthenticated);
        assert_eq!(of("a reason that comes next year"), Failure::Declined);
    }

    #[test]
    fn codes_speak_where_the_bank_does_not() {
        let of = |code| of_payment(Some(code), None);

        assert_eq!(of("card_declined"), Failure::Declined);
        assert_eq!(of("expired_card"), Failure::ExpiredCard);
        assert_eq!(of("incorrect_cvc"), Failure::IncorrectCvc);
        assert_eq!(of("processing_error"), Failure::ProcessingError);
        assert_eq!(of("payment_intent_authentication_failure"), Failure::NotAuthenticated);
        assert_eq!(of_payment(None, None), Failure::Declined);
    }

    #[test]
    fn what_was_never_begun_says_what_was_wrong() {
        let of = |code: Option<&str>, param: Option<&str>| {
            let (code, param) = (code.map(str::to_owned), param.map(str::to_owned));
            of_request(&Refused { status: 400, code, param, ..Refused::default() })
        };

        assert_eq!(of(Some("resource_missing"), Some("payment_method")), Failure::UnknownMethod);
        assert_eq!(of(Some("amount_too_small"), Some("amount")), Failure::NotPermitted);
        assert_eq!(of(Some("parameter_invalid_integer"), Some("amount")), Failure::NotPermitted);
        assert_eq!(of(None, None), Failure::ProcessingError);
    }
}
