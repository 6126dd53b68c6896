//! Precedence, for every setting; errors with their place; the typed result. The file's own tests
//! stand beside it.

use super::*;

/// Two values of a kind, neither of them any default.
fn samples(key: &Key) -> [&'static str; 3] {
    match (key.name, key.kind) {
        ("log.level", _) => ["debug", "warn", "error"],
        ("telemetry.headers", _) => ["a=1", "b=2,c=3", "d=4"],
        ("access.jwks_url", _) => {
            ["https://a.example.com", "https://b.example.com", "http://127.0.0.1:1/"]
        }
        (_, Kind::Text) => ["one", "two", "three"],
        (_, Kind::Path) => ["/a", "/b", "./c"],
        (_, Kind::Address) => ["10.0.0.1:1", "10.0.0.2:2", "[::1]:3"],
        (_, Kind::Url) => {
            ["http://a.example.com/", "https://b.example.com", "http://c.example.com"]
        }
        ("timeouts.operation", _) => ["31m", "32m", "33m"],
        ("timeouts.request", _) => ["31s", "32s", "33s"],
        (_, Kind::Span(..)) => ["1s", "2s", "3s"],
        ("limits.batch_bytes" | "limits.export_bytes", _) => ["65MiB", "66MiB", "67MiB"],
        (_, Kind::Size(..)) => ["17KiB", "18KiB", "19KiB"],
        ("limits.burst_requests", _) => ["30001", "30002", "30003"],
        (_, Kind::Count(..)) => ["11", "12", "13"],
        (_, Kind::Switch) => ["false", "false", "false"],
        (_, Kind::Choice(_)) => ["json", "json", "json"],
        (_, Kind::List) => ["a", "b,c", "d"],
        (_, Kind::IpAddresses) => ["10.0.0.1", "::1,10.0.0.2", "10.0.0.3"],
    }
}

fn toml_of(key: &Key, text: &str) -> String {
    let value = match key.kind {
        Kind::Count(..) | Kind::Switch => text.to_owned(),
        Kind::List | Kind::IpAddresses => format!("{:?}", text.split(',').collect::<Vec<_>>()),
        _ => format!("{text:?}"),
    };
    format!("{} = {value}\n", key.name)
}

fn resolved(
    flags: &[(&'static str, &str)],
    environment: &[(&str, &str)],
    file: Option<&str>,
) -> Result<Configuration, ConfigurationError> {
    let flags = flags.iter().map(|(name, text)| (*name, OsString::from(text))).collect();
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, text)| (OsString::from(name), OsString::from(text)))
        .collect();
    resolve(
        &flags,
        environment.into_iter(),
        file.map(|text| (PathBuf::from("/etc/rollbook.toml"), text.to_owned())),
    )
}

fn shown(loaded: &Configuration, key: &Key) -> (String, Origin) {
    let given = loaded.effective.iter().find(|given| given.key == key).unwrap();
    (key.kind.show(&given.value), given.origin.clone())
}

#[test]
fn for_every_setting_a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    for key in KEYS {
        let [in_file, in_environment, in_flag] = samples(key);
        let variable = key.variable();
        let file = toml_of(key, in_file);
        let from_file = Origin::File { path: PathBuf::from("/etc/rollbook.toml"), line: 1 };

        // Issuer, audience and keys are set together or not at all: a project stands for the ones
        // that are not tried here.
        let needs_project =
            key.name.starts_with("access.") && key.name != "access.firebase_project";
        let beside: &[(&'static str, &str)] =
            if needs_project { &[("access.firebase_project", "demo")] } else { &[] };

        let all = resolved(
            &[beside, &[(key.name, in_flag)]].concat(),
            &[(&variable, in_environment)],
            Some(&file),
        )
        .unwrap();
        assert_eq!(shown(&all, key), (in_flag.to_owned(), Origin::Flag(key.flag)));
        let two = resolved(beside, &[(&variable, in_environment)], Some(&file)).unwrap();
        assert_eq!(
            shown(&two, key),
            (in_environment.to_owned(), Origin::Environment(variable.clone()))
        );
        let one = resolved(beside, &[], Some(&file)).unwrap();
        assert_eq!(shown(&one, key), (in_file.to_owned(), from_file));
        let none = resolved(beside, &[], None).unwrap();
        assert_eq!(
            shown(&none, key),
            (key.default.unwrap_or_default().to_owned(), Origin::Default)
        );
        // The typed settings follow, for each setting and each source.
        assert_ne!(one.settings, none.settings, "{}", key.name);
        assert!(
            !matches!(key.kind, Kind::Count(..))
                || (one.settings != two.settings && two.settings != all.settings),
            "{}",
            key.name
        );
    }
}

#[test]
fn a_wrong_value_is_refused_wherever_it_stands_even_when_a_stronger_one_covers_it() {
    let wrong =
        resolved(&[("limits.headers", "100")], &[("ROLLBOOK_LIMITS_HEADERS", "many")], None)
            .unwrap_err()
            .to_string();
    assert_eq!(
        wrong,
        "ROLLBOOK_LIMITS_HEADERS: limits.headers is a whole number from 8 to 1000, not \"many\"; change it there"
    );
    let wrong = resolved(&[("limits.headers", "100")], &[], Some("limits.headers = 1"))
        .unwrap_err()
        .to_string();
    assert!(wrong.starts_with("/etc/rollbook.toml:1: limits.headers is "), "{wrong}");
    let wrong = resolved(&[("timeouts.drain", "-1s")], &[], None).unwrap_err().to_string();
    assert!(
        wrong.starts_with("--timeouts-drain: timeouts.drain is a span from 0s to 1h"),
        "{wrong}"
    );
}

#[test]
fn a_secret_is_in_no_message_and_in_no_debug_form() {
    let wrong =
        resolved(&[], &[("ROLLBOOK_TELEMETRY_HEADERS", "hush,,")], None).unwrap_err().to_string();
    assert!(wrong.contains("ROLLBOOK_TELEMETRY_HEADERS") && !wrong.contains("hush"), "{wrong}");
    let wrong = resolved(&[("telemetry.headers", "hush")], &[], None).unwrap_err().to_string();
    assert_eq!(
        wrong,
        "--telemetry-headers: telemetry.headers has an entry that is not NAME=VALUE; correct it"
    );
    let loaded = resolved(&[("telemetry.headers", "authorization=hush")], &[], None).unwrap();
    assert!(!format!("{:?}", loaded.settings).contains("hush"));
}

#[test]
fn values_that_do_not_go_together_are_refused_with_the_place_of_the_one_to_change() {
    let cases = [
        (
            "limits.requests_per_second = 50000",
            "default: limits.burst_requests is 20000, less than limits.requests_per_second (50000)",
        ),
        (
            "limits.batch_bytes = 2000",
            "/etc/rollbook.toml:1: limits.batch_bytes is less than limits.body_bytes",
        ),
        (
            "limits.export_bytes = 2000",
            "/etc/rollbook.toml:1: limits.export_bytes is less than limits.body_bytes",
        ),
        (
            "\ntimeouts.operation = '1s'",
            "/etc/rollbook.toml:2: timeouts.operation is shorter than timeouts.request",
        ),
        ("timeouts.behind = '30s'", "/etc/rollbook.toml:1: timeouts.behind must be shorter"),
        ("access.issuer = 'https://example.com/'", "default: access.audience is not set"),
        (
            "access.jwks_url = 'http://example.com/'\naccess.firebase_project = 'demo'",
            "/etc/rollbook.toml:1: access.jwks_url is neither https",
        ),
        ("log.level = 'rollbook=loud'", "/etc/rollbook.toml:1: log.level is not a filter"),
    ];
    for (file, expected) in cases {
        let error = resolved(&[], &[], Some(file)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{file}: {error}");
    }
}

#[test]
fn a_setting_that_may_be_absent_is_taken_away_by_an_empty_value() {
    let file = "telemetry.endpoint = 'http://c.example.com'";
    let endpoint = |flags: &[(&'static str, &str)], environment: &[(&str, &str)]| {
        resolved(flags, environment, Some(file)).unwrap().settings.telemetry.endpoint
    };
    assert_eq!(endpoint(&[], &[]).as_deref(), Some("http://c.example.com"));
    assert_eq!(endpoint(&[("telemetry.endpoint", "")], &[]), None);
    assert_eq!(endpoint(&[], &[("ROLLBOOK_TELEMETRY_ENDPOINT", "")]), None);
    // One that must be there is not set by an empty variable.
    let loaded = resolved(&[], &[("ROLLBOOK_LISTEN", "")], None).unwrap();
    assert_eq!(loaded.origin("listen"), Origin::Default);
    assert!(resolved(&[("listen", "")], &[], None).is_err());
}

#[test]
fn variables_that_only_look_like_settings_are_named() {
    let loaded = resolved(
        &[],
        &[("ROLLBOOK_LISTN", "x"), ("ROLLBOOK_TOKEN", "hush"), ("PATH", "/bin")],
        None,
    )
    .unwrap();
    assert_eq!(loaded.ignored, ["ROLLBOOK_LISTN"]);
}
