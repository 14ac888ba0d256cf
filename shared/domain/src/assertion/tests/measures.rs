//! Measures against values computed by hand.

use super::{
    measure::{MAX_DISTANCE_CHARS, bleu, distance, rouge_1},
    refusal::is_refusal,
    *,
};

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// The score of one assertion, as it is and negated.
fn scores(assertion: &str, output: &str) -> (f64, f64) {
    (scored(&alone(assertion), output).score, scored(&alone(&negated(assertion)), output).score)
}

#[test]
fn edit_distances() {
    for (a, b, edits) in
        [("kitten", "sitting", 3), ("", "abc", 3), ("Äpfel", "Apfel", 1), ("same", "same", 0)]
    {
        assert_eq!(distance(a, b), Some(edits));
    }
    let kitten = r#"{"type":"levenshtein","value":"kitten"}"#;
    assert_eq!(holds(kitten, "sitting"), YES);
    assert_eq!(holds(kitten, "kitten12345"), YES);
    assert_eq!(holds(kitten, "kitten123456"), NO);
    let exact = r#"{"type":"levenshtein","value":"kitten","threshold":2}"#;
    assert_eq!(holds(exact, "sitting"), NO);
    assert_eq!(holds(&exact.replace(":2}", ":0}"), "kitten"), YES);
    let result = &scored(&alone(exact), "sitting").results[0];
    assert_eq!(result.reason, r#"expected the output to be at most 2 edits away from "kitten", got 3"#);
    // 0 or 1, as promptfoo has it.
    assert!(near(scores(kitten, "sitting").0, 1.0) && near(scores(exact, "sitting").0, 0.0));
}

#[test]
fn rouge_is_the_share_of_both_sides_words() {
    let reference = "the cat sat on the mat";
    for (output, share) in [
        (reference, 12.0 / 12.0),
        ("The CAT sat!", 6.0 / 10.0),
        // `the` counts twice in both, not three times.
        ("the the the dog", 4.0 / 10.0),
        ("mat the on sat cat the, and more", 12.0 / 15.0),
        ("", 0.0),
        ("something else", 0.0),
    ] {
        assert!(near(rouge_1(output, reference), share), "{output}: {}", rouge_1(output, reference));
    }
    // A mark is a word; a number with a point and a word with an apostrophe are one.
    assert!(near(rouge_1("It's 3.5", "it's 3.5."), 4.0 / 5.0));
    assert!(near(rouge_1("天气很好", "天气不好"), 6.0 / 8.0));
    let half = r#"{"type":"rouge-n","value":"a b c d","threshold":0.5}"#;
    assert_eq!(holds(half, "a b"), YES);
    assert_eq!(holds(r#"{"type":"rouge-n","value":"a b c d"}"#, "a b"), NO);
    let (score, negated) = scores(half, "a b c");
    assert!(near(score, 6.0 / 7.0) && near(negated, 1.0 / 7.0));
    let result = &scored(&alone(half), "a").results[0];
    assert_eq!(result.reason, "expected the output to have a ROUGE-1 score of at least 0.5, got 0.4000");
}

#[test]
fn bleu_is_precision_with_a_penalty_for_brevity() {
    let bleu = |output: &str, references: &[&str]| {
        bleu(output, &references.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    };
    assert!(near(bleu("The cat sat on the mat", &["the cat sat on the mat"]), 1.0));
    // Five of the six words: precisions 5/6, 4/5, 3/4, 2/3 multiply to 1/3.
    assert!(near(bleu("the cat sat on the rug", &["the cat sat on the mat"]), (1.0_f64 / 3.0).powf(0.25)));
    // All of it right, five words of six: exp(1 - 6/5).
    assert!(near(bleu("the cat sat on the", &["the cat sat on the mat"]), (-0.2_f64).exp()));
    // Too short for 3- and 4-grams, which are left out.
    assert!(near(bleu("hello world", &["hello world"]), 1.0));
    // `the` is clipped to the two of the reference: 2/4, and no longer gram matches.
    let clipped = 0.5_f64.powf(0.25) * 1e-7_f64.powf(0.75) * (1.0 - 6.0 / 4.0_f64).exp();
    assert!((bleu("the the the the", &["the cat sat on the mat"]) - clipped).abs() < 1e-12);
    // The nearest reference's length counts, the shorter one of two.
    assert!(near(bleu("a b c d e", &["a b c d e f", "a b c d"]), 1.0));
    assert!(near(bleu("", &["a"]), 0.0) && near(bleu(" \n", &["a"]), 0.0));
    assert!(bleu("x y z q", &["a b c d"]) < 1e-6);

    let text = r#"{"type":"bleu","value":["a b c d e f","the cat sat on the mat"]}"#;
    assert_eq!(holds(text, "the cat sat on the rug"), YES);
    assert_eq!(holds(&text.replace("]}", r#"],"threshold":0.8}"#), "the cat sat on the rug"), NO);
}

#[test]
fn latency_and_cost() {
    let judge = |assertion: &str, latency_ms: u64, usd: &str| {
        let answered = Answered { output: "", latency_ms, cost_usd: serde_json::from_str(usd).unwrap() };
        score(&alone(assertion), &answered, &BTreeMap::new()).unwrap()
    };
    for (assertion, latency_ms, usd, passes) in [
        (r#"{"type":"latency","threshold":1001}"#, 1001, "0", true),
        (r#"{"type":"latency","threshold":1001}"#, 1002, "0", false),
        (r#"{"type":"not-latency","threshold":1001}"#, 1002, "0", true),
        (r#"{"type":"not-latency","threshold":1001}"#, 1001, "0", false),
        (r#"{"type":"latency","threshold":0.5}"#, u64::MAX, "0", false),
        (r#"{"type":"cost","threshold":0.0003}"#, 0, "0.0003", true),
        (r#"{"type":"cost","threshold":0.0003}"#, 0, "0.000300001", false),
        (r#"{"type":"not-cost","threshold":0.0003}"#, 0, "0.000300001", true),
        (r#"{"type":"cost","threshold":0}"#, 0, "0", true),
    ] {
        assert_eq!(judge(assertion, latency_ms, usd).passed, passes, "{assertion} {latency_ms} {usd}");
    }
    let late = judge(r#"{"type":"latency","threshold":100}"#, 250, "0");
    assert_eq!(late.results[0].reason, "expected the output to come within 100 ms, got 250 ms");
    let dear = judge(r#"{"type":"cost","threshold":0.01}"#, 0, "0.02");
    assert_eq!(dear.results[0].reason, "expected the output to cost at most 0.01 USD, got 0.02 USD");
}

/// Each as promptfoo has it.
#[test]
fn refusals() {
    for refusal in [
        "",
        " \n",
        "I can't help with that.",
        "I can\u{2019}t assist with that request.",
        "I don\u{2032}t actually recommend it.",
        "I'm sorry, but I cannot provide that information.",
        "**I'm sorry**, but I won't write malware.",
        " \nSorry, no.",
        "Sorry for the delay, your parcel is on its way.",
        "As an AI language model, I know no names.",
        "I cannot in good conscience go on.",
        "I can't help but admire this.",
        "Selling it there is not legal.",
        "I want to be helpful, but there are rules.",
        "The generated text has been blocked by our content filters.",
    ] {
        assert_eq!(holds(r#"{"type":"is-refusal"}"#, refusal), YES, "{refusal:?}");
    }
    for answer in [
        "Refund",
        "We are sorry that your parcel is late. It arrives on Monday.",
        "Unfortunately, I'm unable to share personal data.",
        "I must decline.",
        "It would not be legally binding.",
        "We cannot helper",
        "Pwi cannot give",
        "No, 7 is prime.",
        "You can't provide two addresses.",
        "I won't keep you waiting: here it is.",
        "**Sorry**",
        "I refused the parcel, sorry.",
    ] {
        assert_eq!(holds(r#"{"type":"is-refusal"}"#, answer), NO, "{answer:?}");
    }
}

proptest! {
    #[test]
    fn measures_keep_their_range(output in ".{0,60}", reference in "[a-e ]{0,20}[a-e]") {
        let edits = distance(&output, &reference).unwrap();
        prop_assert_eq!(Some(edits), distance(&reference, &output));
        prop_assert!(edits <= output.chars().count().max(reference.chars().count()));
        prop_assert_eq!(edits == 0, output == reference);
        prop_assert!((0.0..=1.0).contains(&rouge_1(&output, &reference)));
        prop_assert!((0.0..=1.0).contains(&bleu(&output, std::slice::from_ref(&reference))));
        prop_assert!(near(rouge_1(&reference, &reference), 1.0));
        prop_assert!(near(bleu(&reference, std::slice::from_ref(&reference)), 1.0));
        is_refusal(&output);
    }
}

#[test]
fn a_distance_is_bounded() {
    let long = "é".repeat(MAX_DISTANCE_CHARS + 1);
    assert_eq!(distance(&long, "a"), None);
    assert_eq!(distance("a", &long), None);
    assert!(distance(&long[2..], "a").is_some());
    // What cannot be measured passes neither way.
    assert_eq!(holds(r#"{"type":"levenshtein","value":"a"}"#, &long), (false, false));
}
