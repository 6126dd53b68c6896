//! The golden digests of version 1. They never change: stores hold them.

use hmac::KeyInit as _;

use super::super::request_samples as samples;
use super::*;

fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

const COMMANDS: [&str; 18] = [
    "e18ac99cc975dd3030166016d3fbaa516654b88b7932d478f8243d3108075daf",
    "7294c716bf4fc4cd24fad5d96126c631a7dbc3bac948625f2ef504bc45fe4779",
    "81353eb269b12a5702513f9785e98ffc7d9b6c59dfddafd4f4fb977e7b758be3",
    "ded7423964abdd64afbdf5908673cf7901e0f144922b88ffe0931d90d586957f",
    "f64f02f8908651809131955915801bc37d551216cc6490f6fb2bb583cd6ce71a",
    "9605cee85776809511ed0a3d90608c9f523b6b19c5f20c8090f67ec42993f734",
    "b192641ac9ad6f7e66b08c08b2cd7ce084c47117ebd9f5701d133e41e6e35d92",
    "e2dc896c91e9dab709fd728b433584f28388dcab8319df837528c40bd138c71e",
    "a90d0342127137be4a7c3c8f271fa634eb5210011fdecbd0a7b3f4fa0893f945",
    "730c6463d9316b1612ce24cd43d541e1abc87563d026ff6594d791a2821f8419",
    "185794f605e874fcc4aca0d9d773a9f16323df6423a140465b29ed4f8760812b",
    "8bbcf4db7d4e3d940f4c92948e70e8e175a070f8a656a11c282eb7c4118ac4e4",
    "5c8428ead8bfb6b20f6794d15dccd2ecf23aa4d4569d28ffb07f694994f7392e",
    "e679e40c5bb448802fb05033efa3b40277a5a66e0d5deb530c9b33e902d4c7af",
    "af1395857a3b5320b3bfe5af1bf6db911c3b958f4bb5e0f5f91292003b0a1c65",
    "829e6daa53e1a8cfbcdf364c6d0aa30b44ae508b89661d05dd8f8524f47252da",
    "b2056cdd0abb2cf1bbfa5dbd238d9980561d10bb9e3be3fdc026139da5b5c646",
    "0723ccf5b8717e857d758178a02ae83913177199f8e5a7fc57f35ba7903db2a9",
];
const REPAIRS: [&str; 4] = [
    "b61812d2c97644bfc474187f2a4108581a8aea804f9619e3dfc0dc9b2a54b272",
    "b8a210be44b0b97a5ec224c98bffb7e500e5a0614b922d9a8651fd235bb90473",
    "b25d67897562ed3be6afc7d81ad46227b39de4599c94fd4491ba1d9dce02d409",
    "334ed617cba2719e8eca57c80d751e8ca5d3865f00fe485d1045612692a81051",
];
const SWITCHES: [&str; 5] = [
    "d1f0542d28196e145beaed8497ab18111aba3db7b89db3214dcc0a72e1c3ca15",
    "408a83b2dc4dd32073a2c9e9a14e322d6bba3c4fee118f0d7debdd0749f9d05b",
    "3653f34f60c0b8553367b028d444c59acdfc5dab5f8846155f50484254d1f3b8",
    "9311b114a4f2ab7c906d15d33727a204da699346fb35339820e21fbaf8f35c86",
    "d1020ef3f595f12fe1756d49cac4c72d4feafd2055e34102787c0c017126d8dd",
];

const PUTS: [&str; 2] = [
    "2eb847381162ed8af973dc553083a16dadd42d9a0d7ac54afb2e9995d54b6850",
    "b52a6d8b026f904c498af03c81edb07162730735eade37c4675b82f728a64753",
];

#[test]
fn digests_are_golden() {
    let commands = samples::commands().into_iter().map(|(stream, command)| {
        hex(KeyedRequest::Command(&stream.parse().unwrap(), &command).digest())
    });
    assert_eq!(commands.collect::<Vec<_>>(), COMMANDS);
    let repairs = samples::repairs().into_iter().map(|(stream, command)| {
        hex(KeyedRequest::Command(&stream.parse().unwrap(), &command).digest())
    });
    assert_eq!(repairs.collect::<Vec<_>>(), REPAIRS);
    let switches = samples::switches().into_iter().map(|(view, audience, reason, force)| {
        hex(KeyedRequest::Switch { view, audience: &audience, reason, force }.digest())
    });
    assert_eq!(switches.collect::<Vec<_>>(), SWITCHES);
    let others = [KeyedRequest::Apply("abc123"), KeyedRequest::Validate(259_200_000)];
    assert_eq!(
        others.map(|request| hex(request.digest())),
        [
            "5a5ba5269546f7973f2e91061f9108bfb4ea3556b7e1d0d2908a08a5a5314bd4",
            "8a7905adb39a7bc20c02fbeb76b4490b79b4051a2d94e6ede0d610b54cdcbaa2"
        ]
    );
}

/// The expected values were computed with another implementation of SHA-256.
#[test]
fn digests_of_puts_are_golden() {
    let stream = StreamId::Client("a\"d\\a".to_owned());
    let document = JsonText::parse(r#"{"rate": 1.10, "name": "ü \u0000 \"q\""}"#).unwrap();
    let digests = [false, true].map(|merge| {
        hex(KeyedRequest::Put { stream: &stream, document: &document, merge }.digest())
    });
    assert_eq!(digests, PUTS);
}

#[test]
fn the_form_is_plain_json_behind_its_domain() {
    let (stream, command) = samples::commands().swap_remove(3);
    let stream = stream.parse().unwrap();
    assert_eq!(
        String::from_utf8(KeyedRequest::Command(&stream, &command).message()).unwrap(),
        "rollbook request\n{\"version\":1,\"request\":{\"kind\":\"respond\",\
         \"stream\":\"series/ada/weekly\",\"run\":2,\"week\":520,\"answers\":\"[]\",\"score\":null}}"
    );
}

#[test]
fn requests_that_differ_have_other_digests() {
    let mut digests: Vec<_> = samples::commands()
        .iter()
        .chain(&samples::repairs())
        .flat_map(|(stream, command)| {
            let stream = stream.parse().unwrap();
            let request = KeyedRequest::Command(&stream, command);
            [request.digest(), request.legacy_digest()]
        })
        .collect();
    let all = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), all);
}

#[test]
fn under_a_key_the_digest_is_an_hmac() {
    // The expected value was computed with another implementation of HMAC-SHA256.
    let under =
        |key: [u8; 32]| digest(b"message", Some(Hmac::new_from_slice(key.as_slice()).unwrap()));
    let (first, second) = (under([1; 32]), under([2; 32]));
    assert_ne!(first, second);
    assert_ne!(first, digest(b"message", None));
    assert_eq!(hex(first), "74927dc608f1a5706dd0cb41ba56416718c7aa2f6cf4940c9e08745e05a56e08");
}

#[test]
fn a_withdrawal_that_names_an_assignment_is_also_the_one_that_older_stores_hold() {
    let stream = "series/ada/weekly".parse().unwrap();
    let withdraw = |assignment: Option<&str>| SeriesCommand::WithdrawWeek {
        run: 1,
        week: 7,
        assignment: assignment.map(str::to_owned),
        reason: String::new(),
    };
    let (week, first, second) = (withdraw(None), withdraw(Some("a1")), withdraw(Some("a2")));
    let of = |command| KeyedRequest::Command(&stream, command);
    let digests = [&week, &first, &second].map(|command| of(command).digest());
    assert_eq!(hex(digests[1]), NAMED);
    assert!(digests[0] != digests[1] && digests[1] != digests[2]);
    assert_eq!(of(&first).earlier_digests(), [digests[0]]);
    assert_eq!(of(&first).legacy_digest(), of(&week).legacy_digest());
    assert!(of(&week).earlier_digests().is_empty());
}

/// The golden digest of a withdrawal that names an assignment.
const NAMED: &str = "726a778ec8bbe219c66727871f0934d1da8521ff9db46586ab64424fc9592569";
