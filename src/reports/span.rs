//! Spans of time as text. Owns the one form that the command line and the service take.

/// A span such as `3d`, `36h`, `90m` or `0s`, in milliseconds.
///
/// # Errors
/// A sentence that says how a span is written.
pub fn milliseconds(text: &str) -> Result<i64, String> {
    let expected = || format!("{text:?} is no span; write a whole number and d, h, m or s, such as 3d or 36h");
    let unit = text.chars().next_back().ok_or_else(expected)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(expected()),
    };
    let number: u32 = text.strip_suffix(unit).and_then(|number| number.parse().ok()).ok_or_else(expected)?;
    Ok(i64::from(number) * seconds * 1000)
}

/// A span in milliseconds as text that reads back as the same, in whole seconds.
pub fn text(milliseconds: i64) -> String {
    format!("{}s", milliseconds / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_unit_and_nothing_else() {
        let read = |text| milliseconds(text).ok();
        assert_eq!(read("3d"), Some(259_200_000));
        assert_eq!((read("36h"), read("90m"), read("0s")), (Some(129_600_000), Some(5_400_000), Some(0)));
        for wrong in ["", "3", "d", "-1d", "1.5h", "3w", "3 d", "99999999999d", "3dé"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_span_as_text_reads_back() {
        for span in ["3d", "36h", "90m", "1s", "0s"] {
            let read = milliseconds(span).unwrap();
            assert_eq!(milliseconds(&text(read)), Ok(read), "{span}");
        }
    }
}
