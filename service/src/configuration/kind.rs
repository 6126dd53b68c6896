//! Kinds of settings: how a value is parsed from text (flag, environment) and from TOML, which
//! values are valid, and how a value is shown. `keys` lists the settings.

use std::net::{IpAddr, SocketAddr};

use rollbook_application::reports::span;
use serde_json::Value;
use toml::de::DeValue;

/// The kind of a setting's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text that is not empty.
    Text,
    /// A path.
    Path,
    /// An IP address and a port.
    Address,
    /// An `http` or `https` URL.
    Url,
    /// A duration such as `30s`, in milliseconds, with the minimum and the maximum.
    Span(u64, u64),
    /// A size such as `1MiB`, in bytes, with the minimum and the maximum.
    Size(u64, u64),
    /// An integer, with the minimum and the maximum.
    Count(u64, u64),
    /// `true` or `false`.
    Switch,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// Several texts: in TOML an array, elsewhere separated by commas.
    List,
    /// Several IP addresses, written like a list.
    IpAddresses,
}

const SIZES: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl Kind {
    /// Describes the valid values, for help and errors.
    pub fn expected(self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Address => "an IP address and a port, such as 127.0.0.1:8080".to_owned(),
            Self::Url => "an http:// or https:// URL".to_owned(),
            Self::Span(least, most) => {
                format!("a span from {} to {}, such as 30s", span_text(least), span_text(most))
            }
            Self::Size(least, most) => format!(
                "a size from {} to {}, such as 64KiB or a number of bytes",
                size(least),
                size(most)
            ),
            Self::Count(least, most) => format!("a whole number from {least} to {most}"),
            Self::Switch => "true or false".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::List => "texts, separated by commas (in the file an array)".to_owned(),
            Self::IpAddresses => {
                "IP addresses, separated by commas (in the file an array)".to_owned()
            }
        }
    }

    /// Returns the placeholder of a value in the usage.
    pub fn value_name(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Path => "PATH",
            Self::Address => "ADDR",
            Self::Url => "URL",
            Self::Span(..) => "SPAN",
            Self::Size(..) => "SIZE",
            Self::Count(..) => "N",
            Self::Switch => "BOOL",
            Self::Choice(_) => "WORD",
            Self::List | Self::IpAddresses => "LIST",
        }
    }

    /// Parses a value from text; `None` if it is invalid.
    pub fn from_text(self, text: &str) -> Option<Value> {
        if text.trim() != text || text.contains('\0') {
            return None;
        }
        match self {
            Self::List | Self::IpAddresses if text.is_empty() => Some(Value::Array(Vec::new())),
            _ if text.is_empty() => None,
            Self::Text | Self::Path => Some(text.into()),
            Self::Address => {
                text.parse::<SocketAddr>().ok().map(|address| address.to_string().into())
            }
            Self::Url => is_url(text).then(|| text.into()),
            Self::Span(least, most) => {
                within(u64::try_from(span::milliseconds(text).ok()?).ok()?, least, most)
            }
            Self::Size(least, most) => within(parse_size(text)?, least, most),
            Self::Count(least, most) => within(whole(text)?, least, most),
            Self::Switch => text.parse::<bool>().ok().map(Value::Bool),
            Self::Choice(words) => words.contains(&text).then(|| text.into()),
            Self::List | Self::IpAddresses => {
                text.split(',').map(|item| self.item(item.trim())).collect()
            }
        }
    }

    /// Reads a value from TOML; `None` if it is invalid.
    pub fn from_toml(self, value: &DeValue<'_>) -> Option<Value> {
        match (self, value) {
            (Self::Switch, DeValue::Boolean(switch)) => Some(Value::Bool(*switch)),
            (Self::Count(..) | Self::Size(..), DeValue::Integer(number)) => {
                let number =
                    u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()?;
                self.from_text(&number.to_string())
            }
            (Self::List | Self::IpAddresses, DeValue::Array(items)) => {
                items.iter().map(|item| self.item(item.get_ref().as_str()?)).collect()
            }
            (Self::Switch | Self::Count(..) | Self::List | Self::IpAddresses, _) => None,
            (_, DeValue::String(text)) => self.from_text(text),
            _ => None,
        }
    }

    fn item(self, text: &str) -> Option<Value> {
        match self {
            Self::IpAddresses => {
                text.parse::<IpAddr>().ok().map(|address| address.to_string().into())
            }
            _ => (!text.is_empty() && text.trim() == text).then(|| text.into()),
        }
    }

    /// Formats a value so that it parses to the same value.
    pub fn show(self, value: &Value) -> String {
        match (self, value) {
            (_, Value::Null) => String::new(),
            (Self::Span(..), Value::Number(number)) => {
                span_text(number.as_u64().unwrap_or_default())
            }
            (Self::Size(..), Value::Number(number)) => size(number.as_u64().unwrap_or_default()),
            (_, Value::String(text)) => text.clone(),
            (_, Value::Array(items)) => {
                items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
            }
            (_, other) => other.to_string(),
        }
    }
}

fn within(number: u64, least: u64, most: u64) -> Option<Value> {
    (least..=most).contains(&number).then(|| number.into())
}

fn span_text(milliseconds: u64) -> String {
    span::text(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

/// Parses an integer of digits, without a sign.
fn whole(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn parse_size(text: &str) -> Option<u64> {
    let unit = SIZES
        .iter()
        .find_map(|(name, bytes)| text.strip_suffix(name).map(|number| (number, *bytes)));
    let (number, bytes) = unit.unwrap_or((text, 1));
    whole(number)?.checked_mul(bytes)
}

fn size(bytes: u64) -> String {
    match SIZES.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !host.is_empty() && !text.contains(|symbol: char| symbol.is_whitespace() || symbol.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_reads_its_values_and_refuses_others() {
        let choice = Kind::Choice(&["human", "json"]);
        let (span, size, count) =
            (Kind::Span(1_000, 60_000), Kind::Size(1_024, 1 << 20), Kind::Count(1, 10));
        let right: [(Kind, &str, Value, &str); 14] = [
            (Kind::Text, "a b", json!("a b"), "a b"),
            (Kind::Path, "./x", json!("./x"), "./x"),
            (Kind::Address, "[::1]:80", json!("[::1]:80"), "[::1]:80"),
            (
                Kind::Url,
                "http://x.example.com:4318/v1",
                json!("http://x.example.com:4318/v1"),
                "http://x.example.com:4318/v1",
            ),
            (span, "30s", json!(30_000), "30s"),
            (span, "60000ms", json!(60_000), "1m"),
            (size, "1MiB", json!(1_048_576), "1MiB"),
            (size, "1025", json!(1_025), "1025"),
            (count, "10", json!(10), "10"),
            (Kind::Switch, "false", json!(false), "false"),
            (choice, "json", json!("json"), "json"),
            (Kind::List, "a, b", json!(["a", "b"]), "a,b"),
            (Kind::List, "", json!([]), ""),
            (Kind::IpAddresses, "::1,10.0.0.1", json!(["::1", "10.0.0.1"]), "::1,10.0.0.1"),
        ];
        for (kind, text, value, shown) in right {
            assert_eq!(kind.from_text(text), Some(value.clone()), "{kind:?} {text}");
            assert_eq!(kind.show(&value), shown);
        }
        let wrong = [
            (Kind::Text, ""),
            (Kind::Text, " a"),
            (Kind::Address, "localhost:80"),
            (Kind::Address, "127.0.0.1"),
            (Kind::Address, "127.0.0.1:70000"),
            (Kind::Url, "ftp://x"),
            (Kind::Url, "http://"),
            (Kind::Url, "http:///path"),
            (span, "500ms"),
            (span, "2m"),
            (span, "30"),
            (size, "1KB"),
            (size, "1"),
            (size, "99999999999999999999GiB"),
            (count, "0"),
            (count, "11"),
            (count, "+3"),
            (count, "1.0"),
            (Kind::Switch, "yes"),
            (choice, "JSON"),
            (Kind::List, "a,,b"),
            (Kind::IpAddresses, "10.0.0.0/8"),
        ];
        for (kind, text) in wrong {
            assert_eq!(kind.from_text(text), None, "{kind:?} {text}");
        }
    }

    #[test]
    fn toml_has_types_and_they_must_fit() {
        let read = |kind: Kind, toml: &str| {
            let table = toml::de::DeTable::parse(toml).unwrap();
            kind.from_toml(table.get_ref().values().next().unwrap().get_ref())
        };
        assert_eq!(read(Kind::Count(0, 99), "a = 0x1_0"), Some(json!(16)));
        assert_eq!(read(Kind::Size(0, 99), "a = \"9\""), Some(json!(9)));
        assert_eq!(read(Kind::List, "a = ['x', 'y']"), Some(json!(["x", "y"])));
        assert_eq!(read(Kind::Switch, "a = true"), Some(json!(true)));
        let wrong = [
            (Kind::Count(0, 99), "a = '7'"),
            (Kind::Count(0, 99), "a = -1"),
            (Kind::Count(0, 99), "a = 1.0"),
            (Kind::Switch, "a = 'true'"),
            (Kind::List, "a = 'x,y'"),
            (Kind::List, "a = ['x', 1]"),
            (Kind::Text, "a = 1"),
            (Kind::Span(0, 99_999), "a = 30"),
            (Kind::Path, "a = 1979-05-27"),
        ];
        for (kind, toml) in wrong {
            assert_eq!(read(kind, toml), None, "{kind:?} {toml}");
        }
    }
}
