//! What looks like a secret, and what does not.

use proptest::prelude::*;

use super::*;

/// Put together here, so that nobody's scanner takes them for real ones.
fn armoured_and_known() -> Vec<(String, SecretShape)> {
    let blocks = [
        format!("-----BEGIN {} PRIVATE KEY-----\nMIIE", "RSA"),
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----".to_owned(),
        "-----begin pgp private key block-----".to_owned(),
        "PuTTY-User-Key-File-3: ssh-ed25519".to_owned(),
    ];
    let tokens = [
        format!("key is {}IOSFODNN7EXAMPLE", "AKIA"),
        format!("{}_16C7e42F292c6912E7710c838347Ae178B4a", "ghp"),
        format!("bot {}-17653672481-19874698323", "xoxb"),
        format!("{}hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x", "eyJ"),
        format!("{}_live_4eC39HqLyjWDarjtT1", "sk"),
    ];
    let blocks = blocks.map(|text| (text, SecretShape::KeyBlock));
    let tokens = tokens.map(|text| (text, SecretShape::KnownToken));
    blocks.into_iter().chain(tokens).collect()
}

#[test]
fn what_looks_like_a_secret() {
    use SecretShape as Shape;
    for (text, shape) in armoured_and_known() {
        assert_eq!(looks_like_secret(&text), Some(shape), "{text}");
    }
    let keys = "123456-234567-345678-456789-567890-678901-789012-890123";
    for (text, shape) in [
        ("Password: hunter2", Shape::Labelled),
        ("password = correcthorse", Shape::Labelled),
        ("Passwords:\n  first", Shape::Labelled),
        ("DB_PASSWORD=x", Shape::Labelled),
        ("\"password\": \"x\"", Shape::Labelled),
        ("Kennwort: Sommer", Shape::Labelled),
        ("client secret: abc", Shape::Labelled),
        ("PIN: 4711", Shape::Labelled),
        ("auth code: Xy7-pq", Shape::Labelled),
        ("admin, pw: Sommer24!", Shape::Labelled),
        ("https://admin:sesame@fw.example/login", Shape::UrlPassword),
        ("VK7JG-NPHTM-C97JM-9MPGT-3V66T", Shape::LicenceKey),
        (keys, Shape::LicenceKey),
        (
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ3vT9kLmW2a",
            Shape::RandomToken,
        ),
        ("it is d41d8cd98f00b204e9800998ecf8427e", Shape::RandomToken),
        ("k7f3m9x2q8w4z6t1v5b0n3c7", Shape::RandomToken),
    ] {
        assert_eq!(looks_like_secret(text), Some(shape), "{text}");
    }
}

#[test]
fn what_does_not() {
    for text in [
        "",
        "1Password: vault of the service desk, entry 12",
        "the safe in room 3.07, second shelf",
        "KeePass file on the file server, group Brandt/Firewalls",
        "The password is kept in the vault of South",
        "password: ****",
        "Password reset by the duty manager",
        "Recovery codes: sealed envelope at the notary's",
        "Token: YubiKey of the managing director",
        "brandt-freight.example",
        "xn--brandt-spedition-zzb.example",
        "d111111abcdef8.cloudfront.example",
        "srv-db-01-fra-prod-2024-backup-daily",
        "MicrosoftOffice365E3BusinessPremium",
        "ProductionDatabaseServer01",
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "tenant 01900000-0000-7000-8000-000000000000",
        "A1B2C3D4-0011-2233-4455-66778899AABB",
        "partnerships/01900000-0000-7000-8000-000000000000/clients/0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
        "DE89370400440532013000",
        "+49 89 1234567, extension 4711",
        "arn:aws:iam::123456789012:role/backup-operator",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "S-1-5-21-3623811015-3361044348-30300820-1013",
        "https://portal.registrar.example:8443/domains?customer=4711",
        "mailto: hostmaster@brandt-freight.example",
        "secret://vault/brandt/firewall",
        "ASIAPACIFICREGIONALOFFICE",
        "1234-5678-9012-3456",
        "SAMPLE-SAMPLE-SAMPLE-SAMPLE",
    ] {
        assert_eq!(looks_like_secret(text), None, "{text}");
    }
}

#[test]
fn hints_are_for_people() {
    use SecretShape as Shape;
    for shape in [
        Shape::KeyBlock,
        Shape::KnownToken,
        Shape::Labelled,
        Shape::UrlPassword,
        Shape::LicenceKey,
        Shape::RandomToken,
    ] {
        assert!(!shape.hint().is_empty() && looks_like_secret(shape.hint()).is_none());
    }
}

/// Of such alphabets tokens are drawn.
fn drawn() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9]{48,64}",
        "[0-9a-f]{48,64}",
        "[A-Za-z0-9+/]{64}="
    ]
}

proptest! {
    #[test]
    fn any_text_is_looked_at(text in any::<String>()) {
        let _ = looks_like_secret(&text);
    }

    #[test]
    fn any_text_of_these_parts_is_looked_at(
        text in "(password|pin|://|@|:|=|eyJ|AKIA|-----BEGIN |[A-Z0-9]{5}-|é|\u{0130}|\u{fb03}| |\n){0,40}"
    ) {
        let _ = looks_like_secret(&text);
    }

    /// Words before and after hide nothing.
    #[test]
    fn a_secret_among_words_is_found(
        before in "[a-zé ]{0,40}",
        secret in prop_oneof![
            drawn(),
            Just("password: sesame".to_owned()),
            Just("https://a:b@c".to_owned()),
            Just("PIN = 12".to_owned()),
        ],
        after in "[a-zé ]{0,40}",
    ) {
        prop_assume!(looks_like_secret(&secret).is_some());
        let text = format!("{before} {secret} {after}");
        prop_assert!(looks_like_secret(&text).is_some());
    }
}

/// How often something drawn at random is noticed, of lengths that tokens have.
#[test]
fn hardly_any_drawn_token_is_missed() {
    let alphabets: [&[u8]; 3] = [
        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        b"0123456789abcdef",
        b"abcdefghijklmnopqrstuvwxyz0123456789",
    ];
    // A fixed sequence: the test finds the same every time.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for alphabet in alphabets {
        let mut missed = 0;
        for _ in 0..1_000 {
            let mut drawn = String::new();
            for _ in 0..40 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let place = usize::try_from(state >> 33).expect("31 bits") % alphabet.len();
                drawn.push(char::from(alphabet[place]));
            }
            missed += usize::from(looks_like_secret(&drawn).is_none());
        }
        assert!(
            missed <= 40,
            "{missed} of 1,000 of {} letters",
            alphabet.len()
        );
    }
}
