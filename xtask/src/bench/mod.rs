//! `cargo xtask bench`: the benches, their figures as one table, and comparisons with another
//! revision. The benches are in `benches/`.

mod build_times;
mod checkout;
mod figures;
mod table;

use anyhow::{Context, Result, bail};

use crate::cargo::{announce_long_build, cargo, run};
use crate::setup::{self, Need};
use checkout::Checkout;

pub const HELP: &str = "\
cargo xtask bench [FILTER]
cargo xtask bench --http
cargo xtask bench --against REV [--rounds N] [--quick] [FILTER]
cargo xtask bench --build-times [--against REV] [--rounds N]

Do not use the machine for anything else while a bench runs.

Without an option: runs the criterion benches whose name contains FILTER. Then prints the figures as
one table, each beside raw RocksDB on the same bytes in the same run.

  --http          measure the live view over HTTP beside a bare axum handler, with wrk, which is
                  installed where it is missing
  --against REV   measure the figures of another git revision too, and print both side by side. The
                  revision is built in a checkout of its own below the target directory, with the
                  compiled RocksDB copied there. The two programs run in turns.
  --build-times   measure `cargo build --release` after one file of src/cli was touched
  --rounds N      how often each side runs; the medians are printed (3)
  --quick         pass --quick to the figures: fewer commits and clients
  FILTER          append, custody, replay, view or migration: only that part of the figures";

/// How often each side runs.
const ROUNDS: usize = 3;

/// The options of the command.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    is_http: bool,
    is_build_times: bool,
    is_quick: bool,
    against: Option<String>,
    rounds: Option<usize>,
    filter: Option<String>,
}

pub fn command(arguments: &[String]) -> Result<()> {
    let options = parse(arguments)?;
    setup::ensure(Need::Build)?;
    announce_long_build()?;
    if options.is_http {
        setup::ensure_wrk()?;
        return run(&mut cargo(["bench", "--bench", "http"])?);
    }
    let rounds = options.rounds.unwrap_or(ROUNDS);
    let here = Checkout::here()?;
    let other = options.against.as_deref().map(Checkout::of).transpose()?;
    if options.is_build_times {
        return build_times::measure(&here, other.as_ref(), rounds);
    }
    let quick = options.is_quick.then_some("--quick");
    let words: Vec<&str> = quick.into_iter().chain(options.filter.as_deref()).collect();
    if let Some(other) = other {
        return figures::compare(&here, &other, rounds, &words);
    }
    let criterion = ["bench", "--bench", "append", "--bench", "replay", "--bench", "view", "--"];
    run(cargo(criterion)?.args(&words))?;
    run(&mut cargo(["bench", "--bench", "figures"])?)
}

fn parse(arguments: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value =
            || words.next().cloned().with_context(|| format!("{word} needs a value\n\n{HELP}"));
        match word.as_str() {
            "--http" => options.is_http = true,
            "--build-times" => options.is_build_times = true,
            "--quick" => options.is_quick = true,
            "--against" => options.against = Some(value()?),
            "--rounds" => {
                let text = value()?;
                let rounds = text.parse().ok().filter(|rounds| *rounds > 0);
                options.rounds =
                    Some(rounds.with_context(|| format!("{text:?} is not a number of rounds"))?);
            }
            filter if !filter.starts_with('-') && options.filter.is_none() => {
                options.filter = Some(filter.to_owned());
            }
            other => bail!("bench does not accept {other:?}\n\n{HELP}"),
        }
    }
    let repeats = options.against.is_some() || options.is_build_times;
    if options.is_http && (repeats || arguments.len() > 1) {
        bail!("--http has no further options\n\n{HELP}");
    }
    if options.rounds.is_some() && !repeats {
        bail!("--rounds needs --against or --build-times\n\n{HELP}");
    }
    Ok(options)
}

/// The middle value, or the mean of the two in the middle; `None` of nothing.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    values.get(values.len() / 2 - 1).map(|lower| f64::midpoint(*lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_in_any_order() {
        let options = parsed("append --rounds 5 --against HEAD~3 --quick").unwrap();
        let expected = Options {
            is_quick: true,
            against: Some("HEAD~3".to_owned()),
            rounds: Some(5),
            filter: Some("append".to_owned()),
            ..Options::default()
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, message) in [
            ("--against", "--against needs a value"),
            ("--against HEAD --rounds 0", "\"0\" is not a number of rounds"),
            ("--rounds 3", "--rounds needs --against"),
            ("--http --against HEAD", "--http has no further options"),
            ("append view", "bench does not accept \"view\""),
            ("--fast", "bench does not accept \"--fast\""),
        ] {
            let error = parsed(line).unwrap_err().to_string();
            assert!(error.starts_with(message), "{line}: {error}");
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
