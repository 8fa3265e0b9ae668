//! Money, shared out so that not one cent is left or missing.

/// Shares an amount out by weight, by the largest remainder: every share is what its weight comes
/// to, rounded down or up, and together they are exactly the amount. Where nothing weighs anything
/// all weigh the same.
///
/// Neither the amount nor a weight is below 0.
pub(super) fn spread(amount: i64, weights: &[i64]) -> Vec<i64> {
    let all: i128 = weights.iter().copied().map(i128::from).sum();
    if all == 0 {
        return if weights.is_empty() {
            Vec::new()
        } else {
            spread(amount, &vec![1; weights.len()])
        };
    }
    let exact = |weight: &i64| i128::from(amount) * i128::from(*weight);
    let mut shares: Vec<i128> = weights.iter().map(|weight| exact(weight) / all).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|index| std::cmp::Reverse(exact(&weights[*index]) % all));
    let missing = i128::from(amount) - shares.iter().sum::<i128>();
    for index in by_remainder.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        shares[index] += 1;
    }
    shares.into_iter().map(|share| i64::try_from(share).unwrap_or(amount)).collect()
}

/// How much of a share so many pieces of all come to, rounded down; all come to all of it.
pub(super) fn of_pieces(share: i64, pieces: u32, all: u32) -> i64 {
    let part = i128::from(share) * i128::from(pieces.min(all)) / i128::from(all.max(1));
    i64::try_from(part).unwrap_or(share)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_remainders_get_what_rounding_left() {
        assert_eq!(spread(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(spread(10, &[3, 3, 1]), [4, 4, 2]);
        assert_eq!(spread(5, &[0, 10]), [0, 5]);
        assert_eq!(spread(5, &[0, 0]), [3, 2]);
        assert_eq!(spread(0, &[7, 3]), [0, 0]);
        assert_eq!(spread(7, &[]), Vec::<i64>::new());
    }

    proptest! {
        #[test]
        fn shares_add_up_exactly(
            amount in 0..=i64::MAX,
            weights in prop::collection::vec(prop_oneof![0_i64..100, 0..=i64::MAX], 1..20),
        ) {
            let shares = spread(amount, &weights);

            let sum: i128 = shares.iter().copied().map(i128::from).sum();
            prop_assert_eq!(sum, i128::from(amount));
            let all: i128 = weights.iter().copied().map(i128::from).sum();
            for (share, weight) in shares.iter().zip(&weights).filter(|_| all > 0) {
                let exact = i128::from(amount) * i128::from(*weight) / all;
                prop_assert!((exact..=exact + 1).contains(&i128::from(*share)));
            }
        }

        #[test]
        fn pieces_come_to_no_more_than_all(share in 0..=i64::MAX, all in 1_u32..1_000_000, some in 0_u32..1_000_000) {
            let part = of_pieces(share, some, all);

            prop_assert!((0..=share).contains(&part));
            prop_assert_eq!(of_pieces(share, all, all), share);
        }
    }
}
