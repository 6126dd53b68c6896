//! Durations as text: `3d`, `36h`, `90m`, `10s`, `250ms`. The command line, the service and its
//! settings share this form.

const MILLISECONDS: [(&str, i64); 5] =
    [("d", 24 * 60 * 60 * 1000), ("h", 60 * 60 * 1000), ("m", 60 * 1000), ("s", 1000), ("ms", 1)];

/// Parses a duration: a whole number below 2³² and its unit. Returns milliseconds.
///
/// # Errors
/// A sentence that explains how a duration is written.
pub fn milliseconds(text: &str) -> Result<i64, String> {
    let expected = || {
        format!(
            "{text:?} is not a span; write a whole number and d, h, m, s or ms, such as 3d or 36h"
        )
    };
    let unit_at = text.find(|symbol: char| !symbol.is_ascii_digit()).ok_or_else(expected)?;
    let (number, unit) = text.split_at_checked(unit_at).ok_or_else(expected)?;
    let (_, milliseconds) =
        MILLISECONDS.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?;
    let number: u32 = number.parse().map_err(|_| expected())?;
    Ok(i64::from(number) * milliseconds)
}

/// Formats a duration in milliseconds as the shortest text that parses to the same value.
pub fn text(milliseconds: i64) -> String {
    if milliseconds == 0 {
        return "0s".to_owned();
    }
    let fits = MILLISECONDS.iter().find(|(_, unit)| milliseconds % unit == 0);
    let (name, unit) = fits.copied().unwrap_or(("ms", 1));
    format!("{}{name}", milliseconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_unit_and_nothing_else() {
        let read = |text| milliseconds(text).ok();
        assert_eq!(
            (read("3d"), read("36h"), read("90m")),
            (Some(259_200_000), Some(129_600_000), Some(5_400_000))
        );
        assert_eq!((read("0s"), read("250ms")), (Some(0), Some(250)));
        for wrong in ["", "3", "d", "-1d", "1.5h", "3w", "3 d", "99999999999d", "3dé", "é", "3sm"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_span_is_written_as_it_reads_back() {
        for (span, shortest) in [
            ("3d", "3d"),
            ("36h", "36h"),
            ("90m", "90m"),
            ("90s", "90s"),
            ("1500ms", "1500ms"),
            ("60000ms", "1m"),
            ("0d", "0s"),
        ] {
            let read = milliseconds(span).unwrap();
            assert_eq!(text(read), shortest);
            assert_eq!(milliseconds(shortest), Ok(read), "{span}");
        }
    }
}
