//! Where a payment stands, told to whom something was refused.

use axum::http::StatusCode;
use common::http::Problem;
use common::store::UpdateError;
use contracts::{PaymentId, Timestamp};

use crate::domain::{Payment, Refusal};
use crate::store::Payments;

/// Why it was refused; of a conflict also where the payment stands, and what may be done.
pub(super) async fn refused(
    payments: &Payments,
    id: PaymentId,
    error: UpdateError<Refusal>,
) -> Problem {
    let problem = Problem::from(error);
    if problem.status() != StatusCode::CONFLICT {
        return problem;
    }
    // It may have come further since: what counts is what may be done now.
    match payments.get(id).await {
        Ok(Some(payment)) => standing(problem, &payment, payments.clock().now()),
        Ok(None) | Err(_) => problem,
    }
}

fn standing(problem: Problem, payment: &Payment, now: Timestamp) -> Problem {
    let problem = problem.with("allowed", payment.allows(now));
    let problem = match payment.status() {
        Some(status) => problem.with("payment_status", status),
        None => problem,
    };
    let problem = match payment.pay_by {
        Some(pay_by) => problem.with("pay_by", pay_by),
        None => problem,
    };
    match payment.can_go_back() {
        Some(refundable) => problem.with("refundable", refundable),
        None => problem,
    }
}
