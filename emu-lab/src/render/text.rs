//! Words and numbers in plain text.

/// Breaks `text` into lines of at most `max` characters: at blanks, in a word that is longer behind
/// its opening bracket, else anywhere.
#[must_use]
pub fn wrap(text: &str, max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let words = text.split_whitespace().flat_map(|word| {
        let bracket = word.find('(').filter(|_| word.chars().count() > max);
        let (head, tail) = word.split_at(bracket.map_or(word.len(), |at| at + 1));
        [head, tail].into_iter().filter(|part| !part.is_empty())
    });
    for word in words {
        let len = word.chars().count();
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + len <= max => {
                line.push(' ');
                line.push_str(word);
            }
            _ => {
                let chars: Vec<char> = word.chars().collect();
                lines.extend(chars.chunks(max.max(1)).map(|part| part.iter().collect::<String>()));
            }
        }
    }
    lines
}

/// A number with a comma between thousands.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The mode in a word.
#[must_use]
pub const fn mode(active: bool) -> &'static str {
    if active { "active" } else { "inactive" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_and_short_ones_share_a_line() {
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("abcdefghi j", 4), ["abcd", "efgh", "i j"]);
        assert_eq!(wrap("f(xyz) + 1", 5), ["f(", "xyz)", "+ 1"]);
        assert!(wrap(" ", 4).is_empty());
        let check = "WARNING: VM_WARN_ON_ONCE(nesting_level == U8_MAX)";
        assert_eq!(
            wrap(check, 22),
            ["WARNING:", "VM_WARN_ON_ONCE(", "nesting_level ==", "U8_MAX)"]
        );
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
