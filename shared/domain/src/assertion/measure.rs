//! Measures of likeness between texts. All are pure, and all but the edit distance take time proportional to
//! the texts.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation;

/// The most characters on either side of an edit distance, which takes time proportional to their product.
pub(super) const MAX_DISTANCE_CHARS: usize = 10_000;

/// The longest n-grams of BLEU.
const BLEU_ORDERS: usize = 4;

/// What stands for a precision of 0, whose logarithm does not exist.
const BLEU_FLOOR: f64 = 1e-7;

/// Levenshtein's edit distance in characters (Unicode scalar values): the least number of insertions,
/// deletions and substitutions. `None` when a side is longer than [`MAX_DISTANCE_CHARS`].
pub(super) fn distance(output: &str, reference: &str) -> Option<usize> {
    let [output, reference] = [output, reference].map(|text| {
        let chars: Vec<char> = text.chars().take(MAX_DISTANCE_CHARS + 1).collect();
        (chars.len() <= MAX_DISTANCE_CHARS).then_some(chars)
    });
    Some(strsim::generic_levenshtein(&output?, &reference?))
}

/// ROUGE-1: the words that output and reference share, each counted as often as both have it, as the harmonic
/// mean of their share of the one and of the other (C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of
/// Summaries", 2004, section 2, with n = 1, and beta = 1 as promptfoo has it). Words are lower-cased and parted
/// as Unicode's annex 29 says, unlike in promptfoo where that is English alone; a punctuation mark is a word.
pub(super) fn rouge_1(output: &str, reference: &str) -> f64 {
    let [output, reference] = [output, reference].map(str::to_lowercase);
    let [output, reference] = [&output, &reference]
        .map(|text| text.split_word_bounds().filter(|part| !part.trim().is_empty()).collect::<Vec<&str>>());
    ratio(2 * shared(&counts(&output, 1), &counts(&reference, 1)), output.len() + reference.len())
}

/// BLEU of one sentence: the geometric mean of the clipped precisions of 1- to 4-grams, times the brevity
/// penalty exp(1 - r/c) for an output of c words that is shorter than r, the length of the reference nearest
/// to it (K. Papineni and others, "BLEU: a Method for Automatic Evaluation of Machine Translation", 2002,
/// section 2.3).
///
/// As in promptfoo words are lower-cased and parted by white space, an order that the output is too short for
/// is left out, a precision of 0 counts as 1e-7, and matches are counted against the one reference that has
/// most of them.
pub(super) fn bleu(output: &str, references: &[String]) -> f64 {
    let output = output.to_lowercase();
    let output: Vec<&str> = output.split_whitespace().collect();
    let references: Vec<String> = references.iter().map(|text| text.to_lowercase()).collect();
    let references: Vec<Vec<&str>> =
        references.iter().map(|text| text.split_whitespace().collect()).collect();
    let nearest =
        references.iter().map(Vec::len).min_by_key(|&length| (length.abs_diff(output.len()), length));
    let (1.., Some(nearest)) = (output.len(), nearest) else { return 0.0 };
    let precisions: Vec<f64> = (1..=BLEU_ORDERS.min(output.len()))
        .map(|n| {
            let grams = counts(&output, n);
            let matches = references.iter().map(|reference| shared(&grams, &counts(reference, n))).max();
            ratio(matches.unwrap_or_default(), output.len() + 1 - n)
        })
        .collect();
    let logarithms: f64 = precisions.iter().map(|precision| precision.max(BLEU_FLOOR).ln()).sum();
    let penalty = (1.0 - ratio(nearest, output.len())).min(0.0);
    (penalty + logarithms * ratio(1, precisions.len())).exp()
}

/// How often each n-gram occurs.
fn counts<'a, 'w>(words: &'a [&'w str], n: usize) -> HashMap<&'a [&'w str], usize> {
    let mut counts = HashMap::new();
    for gram in words.windows(n) {
        *counts.entry(gram).or_default() += 1;
    }
    counts
}

/// How many n-grams both have, each as often as the one that has it less often.
fn shared(a: &HashMap<&[&str], usize>, b: &HashMap<&[&str], usize>) -> usize {
    a.iter().map(|(gram, count)| b.get(gram).map_or(0, |other| *count.min(other))).sum()
}

/// A part of a whole that is not 0. Texts are far shorter than 2^32 words.
fn ratio(part: usize, whole: usize) -> f64 {
    let float = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    float(part) / float(whole)
}
