use proptest::prelude::*;

use super::super::exempt::passes_gtin;
use super::*;

/// Published test numbers of every scheme.
const CARDS: [&str; 37] = [
    "4242424242424242",
    "4111111111111111",
    "4012888888881881",
    "4000056655665556",
    "4222222222222",
    "4917610000000000003",
    "5555555555554444",
    "5105105105105100",
    "5200828282828210",
    "2223003122003222",
    "2223000048410010",
    "2720990000000007",
    "378282246310005",
    "371449635398431",
    "378734493671000",
    "341111111111111",
    "6011111111111117",
    "6011000990139424",
    "6011981111111113",
    "6445644564456445",
    "6510000000000034",
    "30569309025904",
    "38520000023237",
    "36227206271667",
    "3056930009020004",
    "3530111333300000",
    "3566002020360505",
    "6200000000000005",
    "6205500000000000004",
    "6250941006528599",
    "6759649826438453",
    "6304000000000000",
    "5000550000000029",
    "2200000000000004",
    "2201382000000013",
    "5019717010103742",
    "9792030394440796",
];

/// A number in groups, the last of which takes the rest.
fn grouped(number: &str, sizes: &[usize], joint: &str) -> String {
    let (mut rest, mut groups) = (number, Vec::new());
    for size in sizes.iter().copied().chain([usize::MAX]) {
        let (group, more) = rest.split_at(size.min(rest.len()));
        groups.push(group);
        rest = more;
    }
    groups.retain(|group| !group.is_empty());
    groups.join(joint)
}

#[test]
fn cards_of_every_scheme_are_seen() {
    for card in CARDS {
        assert!(bears_card(card), "{card}");
        for joint in [" ", "-", ".", "/", "  ", " - ", "\u{a0}", "\u{2011}", "\u{3000}", "\u{200b}"]
        {
            for sizes in [&[4, 4, 4, 4][..], &[4, 6], &[1; 18]] {
                let text = grouped(card, sizes, joint);
                assert!(bears_card(&text), "{text}");
            }
        }
    }
}

#[test]
fn cards_are_seen_next_to_text() {
    for card in CARDS {
        for text in [
            format!("My card is {card}."),
            format!("card:{card},exp 12/29"),
            format!("Visa{card}"),
            format!("({card})"),
            format!("卡号{card}号"),
            format!("card №{card}"),
            format!("12 {card}"),
            format!("#{card}!"),
            format!("card {card}thanks"),
            format!("ISBN 978-3-16-148410-0, card {card}"),
            format!("Tel. 0049 171 2345678; {card}"),
            format!("{card}\ncall +49 171 2345678"),
        ] {
            assert!(bears_card(&text), "{text}");
        }
    }
}

#[test]
fn cards_are_seen_in_any_script() {
    for text in [
        "４２４２４２４２４２４２４２４２",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        "४२४२ ४२४२ ४२४२ ४२४२",
        "𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐",
        "4242\u{200b}4242\n4242\t4242",
        "42\u{ad}42424242424242",
    ] {
        assert!(bears_card(text), "{text}");
    }
}

#[test]
fn ordinary_numbers_are_left_alone() {
    for text in [
        "4242424242424241",
        "42424242424242424242424242",
        "ISBN 978-3-16-148002-7",
        "978-3-16-148410-0 979-8-88645-174-0",
        "Tel. 0049 171 23456700",
        "+49 171 23456700",
        "+49 (0)171 23456700",
        "Tel.: 4917123456700",
        "Phone 4222222222222",
        "☎ 4222 222 222 222",
        "Phone no. 4222222222222",
        "Tel. Nr. 4222222222222",
        "Handynummer: 4222222222222",
        "тел. 4222222222222",
        "Phone 4917123456700",
        "Telefonnummer 4917123456700",
        "Phone number: 36 30 1234 5678 90",
        "電話 4917123456700",
        "49 171 23456700",
        "EAN 4006381330527 250 ml",
        "4006381330527 250 ml",
        "EAN 4 006381 330527 250",
        "ISBN 978-3-641-10109-1 2019",
        "ISBN 978-3-641-10109-1 978-3-16-100002-7",
        "978-3-641-10109-1\n978-3-16-100002-7",
        "Band 3 978-3-16-100002-7",
        "ISBN 3-05-001235-8 1954",
        "IMEI/SV: 3530111333300000",
        "IMEI-SV 3530111333300000",
        "models 4000, 4100, 4200, 4302",
        "sizes 36 38 40 42 44 46 48 53",
        "52.520008, 13.404954",
        "2026-01-31 12:30:45",
        "IMEI 490154203237518",
        "35-209900-176148-1",
        "IMEISV 3530111333300000",
        "EAN 4006381333931",
        "4006381333931",
        "IBAN FR76 3000 6000 0112 3456 7890 189",
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "sizes 36 38 40 42 44 46 48 50 52",
        "2026-01-31T12:00:00.000Z",
        "ord_4242424242424242a4242424242424242",
        "pm_4242424242424242",
        "550e8400-e29b-41d4-a716-446655440000",
        "00 49 171 2345 6700",
    ] {
        assert!(!bears_card(text), "{text}");
    }
}

#[test]
fn cards_are_seen_whatever_stands_between_and_before() {
    for text in [
        "42 42 42 42 42 42 42 42",
        "4242_4242_4242_4242",
        "4242,4242,4242,4242",
        "4242:4242:4242:4242",
        "4242+4242+4242+4242",
        "(4242) (4242) (4242) (4242)",
        "4242%204242%204242%204242",
        "4242&nbsp;4242 4242 4242",
        "3782,822463,10005",
        "x4242424242424242",
        "4242424242424242a",
        "+378282246310005",
        "+4242424242424242",
        "tel 4242424242424242",
        "fax 30569309025904",
        "imei 4242424242424242",
        "imei: 378282246310005",
        "IMEISV 4242424242424242",
        "EAN 4006381330527 4242424242424242",
        "ISBN 4242424242424242",
        "DE89 3704 0044 0532 0130 00 4242 4242 4242 4242",
    ] {
        assert!(bears_card(text), "{text}");
    }
}

#[test]
fn long_texts_are_searched_in_linear_time() {
    for part in ["1a", "1 ", "4 4 ", "DE1 ", "4241 ", "4", "tel", "1(", "_1", "00 ", "+1"] {
        assert!(!bears_card(&part.repeat((1 << 17) / part.len())), "{part}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,60}", digits in "[0-9a-zé+ _.-]{0,60}") {
        let _ = (bears_card(&text), bears_card(&digits));
    }

    #[test]
    fn an_id_is_no_card_number(id: u128) {
        let text = format!("ord_{id:032x}");

        prop_assert!(!bears_card(&text));
    }

    #[test]
    fn books_are_no_card_numbers(digits in "97[89][0-9]{9}", joint in "[ -]?") {
        let check = (0..10).map(|it| format!("{digits}{it}")).find(|it| passes_gtin(it)).unwrap();
        for sizes in [&[3, 1, 2, 6][..], &[3, 2, 3, 4], &[3, 10]] {
            let book = grouped(&check, sizes, &joint);
            prop_assert!(!bears_card(&book), "{}", book);
        }
    }

    #[test]
    fn phones_are_no_card_numbers(number in "[1-9][0-9]{0,2} [1-9][0-9]{1,3} [0-9]{5,8}") {
        for prefix in ["+", "00"] {
            let phone = [prefix, &number].concat();
            prop_assert!(!bears_card(&phone), "{}", phone);
        }
    }
}
