//! Text that looks like a secret and therefore is not taken: where something is kept may be written
//! down, what it is may not.
//!
//! The rules catch what is pasted by mistake, not what somebody hides. They look at shapes alone, with
//! whole numbers, and say only which shape it was, never the text. A public value may have such a shape
//! as well (a fingerprint, a verification record); a short password without a word before it has none.

use std::str::Chars;

/// Fewest characters of what looks drawn at random before a text is refused for them.
const RANDOM_CHARACTERS_MIN: usize = 20;
/// Fewest characters of one piece that counts among them.
const RANDOM_PIECE_MIN: usize = 8;
/// Fewest groups of a licence key.
const KEY_GROUPS_MIN: usize = 4;
/// Characters of a licence key's group.
const KEY_GROUP_LENGTHS: std::ops::RangeInclusive<usize> = 4..=8;
/// Fewest characters of a licence key, and of one that has digits only.
const KEY_CHARACTERS_MIN: usize = 20;
/// The same for digits only: fewer could be a number of something.
const KEY_DIGITS_MIN: usize = 40;
/// Lengths of the groups of a UUID, which names things and opens none.
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretShape {
    /// A key or certificate in its armour, such as PEM, SSH, PGP or PuTTY.
    KeyBlock,
    /// A token that begins as those of a well-known issuer do.
    KnownToken,
    /// Something after a word such as `password:`.
    Labelled,
    /// An address with a user's password in it.
    UrlPassword,
    /// Groups of characters like those of a licence or recovery key.
    LicenceKey,
    /// Many characters that look drawn at random.
    RandomToken,
}

impl SecretShape {
    /// What is wrong with the text and what to write instead, without a word of the text.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::KeyBlock => {
                "looks like a key or certificate: say where it is kept, never what it is"
            }
            Self::KnownToken => {
                "looks like an access token: say where it is kept, never what it is"
            }
            Self::Labelled => {
                "looks like a password after its label: say where it is kept, never what it is, \
                 for example `vault of the service desk, entry 12`"
            }
            Self::UrlPassword => "has a password in an address: leave the password out",
            Self::LicenceKey => {
                "looks like a licence or recovery key: say where it is kept, never what it is"
            }
            Self::RandomToken => {
                "has a long random-looking token: say where it is kept, never what it is"
            }
        }
    }
}

/// What secret a text looks like, if it does. Takes time in proportion to the text's length.
#[must_use]
pub fn looks_like_secret(text: &str) -> Option<SecretShape> {
    let lower = text.to_lowercase();
    if has_key_block(&lower) {
        return Some(SecretShape::KeyBlock);
    }
    if has_known_token(text) {
        return Some(SecretShape::KnownToken);
    }
    if has_labelled_value(&lower) {
        return Some(SecretShape::Labelled);
    }
    if has_url_password(text) {
        return Some(SecretShape::UrlPassword);
    }
    let is_outside = |character: char| !is_run_character(character);
    text.split(is_outside).find_map(shape_of_run)
}

/// How armoured keys begin, in lower case.
const KEY_BLOCKS: [&str; 4] = [
    "-----begin ",
    "---- begin ",
    "putty-user-key-file",
    "age-secret-key-1",
];

fn has_key_block(lower: &str) -> bool {
    KEY_BLOCKS.iter().any(|block| lower.contains(block))
}

/// How a token of a well-known issuer begins, and how many characters follow at least.
struct KnownToken {
    prefix: &'static str,
    following: usize,
    /// Whether those are capitals and digits only.
    is_upper: bool,
}

const fn token(prefix: &'static str, following: usize) -> KnownToken {
    KnownToken {
        prefix,
        following,
        is_upper: false,
    }
}

const fn upper_token(prefix: &'static str, following: usize) -> KnownToken {
    KnownToken {
        prefix,
        following,
        is_upper: true,
    }
}

const KNOWN_TOKENS: [KnownToken; 37] = [
    upper_token("AKIA", 16),
    upper_token("ASIA", 16),
    token("ghp_", 20),
    token("gho_", 20),
    token("ghu_", 20),
    token("ghs_", 20),
    token("ghr_", 20),
    token("github_pat_", 20),
    token("glpat-", 16),
    token("xoxa-", 10),
    token("xoxb-", 10),
    token("xoxp-", 10),
    token("xoxr-", 10),
    token("xoxs-", 10),
    token("xapp-", 10),
    token("eyJ", 16),
    token("sk_live_", 10),
    token("sk_test_", 10),
    token("rk_live_", 10),
    token("rk_test_", 10),
    token("whsec_", 16),
    token("sk-", 20),
    token("AIza", 30),
    token("ya29.", 16),
    token("SG.", 20),
    token("npm_", 20),
    token("pypi-", 20),
    token("dop_v1_", 20),
    token("hvs.", 16),
    token("shpat_", 16),
    token("glsa_", 16),
    token("lin_api_", 16),
    token("tskey-", 12),
    token("hf_", 20),
    token("AccountKey=", 16),
    token("SharedAccessKey=", 16),
    token("entente_", 20),
];

fn has_known_token(text: &str) -> bool {
    KNOWN_TOKENS.iter().any(|known| {
        let mut places = text.match_indices(known.prefix);
        places.any(|(place, prefix)| {
            let before = text.get(..place).and_then(|before| before.chars().last());
            let after = text.get(place.saturating_add(prefix.len())..);
            !before.is_some_and(char::is_alphanumeric)
                && after.is_some_and(|after| known.is_followed(after.chars()))
        })
    })
}

impl KnownToken {
    /// Whether what follows the prefix is long and mixed enough, so that no word of a language is.
    fn is_followed(&self, after: Chars<'_>) -> bool {
        let fits = |character: &char| {
            if self.is_upper {
                character.is_ascii_uppercase() || character.is_ascii_digit()
            } else {
                is_run_character(*character) || *character == '.'
            }
        };
        let following: Vec<char> = after.take(self.following).take_while(fits).collect();
        let has = |sort: fn(&char) -> bool| following.iter().any(sort);
        let is_mixed = has(char::is_ascii_digit)
            || (has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase));
        following.len() == self.following && is_mixed
    }
}

/// Words after which any value is taken for a secret, also within other words, as in `DB_PASSWORD`.
const STRONG_LABELS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "passwort",
    "kennwort",
    "wachtwoord",
    "mot de passe",
    "contraseña",
    "secret",
    "api key",
    "apikey",
    "api_key",
    "api-key",
];

/// Words after which a value with a digit in it is taken for a secret, if they stand alone.
const WEAK_LABELS: [&str; 27] = [
    "pwd",
    "pw",
    "pass",
    "pin",
    "puk",
    "otp",
    "totp",
    "token",
    "auth code",
    "authcode",
    "auth-code",
    "auth info",
    "epp",
    "epp code",
    "transfer code",
    "recovery code",
    "backup code",
    "activation code",
    "access key",
    "private key",
    "encryption key",
    "licence key",
    "license key",
    "product key",
    "serial key",
    "credential",
    "zugangsdaten",
];

fn has_labelled_value(lower: &str) -> bool {
    let strong = STRONG_LABELS.iter().any(|label| {
        labelled(lower, label).any(|(before, value)| {
            // The name of a place to keep passwords in.
            let is_vault = *label == "password" && before == Some('1');
            !is_vault && value.chars().any(char::is_alphanumeric)
        })
    });
    strong
        || WEAK_LABELS.iter().any(|label| {
            labelled(lower, label).any(|(before, value)| {
                !before.is_some_and(char::is_alphanumeric)
                    && value.chars().any(|character| character.is_ascii_digit())
            })
        })
}

/// The values after a label and a colon or an equals sign, up to the next white space, each with the
/// character that stands before the label.
fn labelled<'text>(
    lower: &'text str,
    label: &'static str,
) -> impl Iterator<Item = (Option<char>, &'text str)> {
    lower.match_indices(label).filter_map(move |(place, _)| {
        let before = lower.get(..place)?.chars().last();
        let after = lower.get(place.checked_add(label.len())?..)?;
        let after = after.strip_prefix('s').unwrap_or(after);
        let after = after.trim_start_matches([' ', '\t', '"', '\'', ')', ']', '`', '*']);
        let after = after.strip_prefix([':', '=', '：'])?;
        if after.starts_with("//") {
            // The scheme of an address.
            return None;
        }
        let is_quote = |character: char| matches!(character, '"' | '\'' | '`' | '*');
        let after = after
            .trim_start_matches(|character: char| character.is_whitespace() || is_quote(character));
        let value = after.split(char::is_whitespace).next()?;
        Some((before, value))
    })
}

/// Whether an address has a user and a password before its host.
fn has_url_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let is_end = |character: char| {
            character.is_whitespace() || matches!(character, '/' | '?' | '#' | '"' | '<' | '>')
        };
        let authority = rest.split(is_end).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        let password = user.and_then(|user| user.split_once(':'));
        password.is_some_and(|(_, password)| !password.is_empty())
    })
}

/// Whether a character may stand in a token.
const fn is_run_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '+' | '/' | '=')
}

/// What a run of such characters looks like.
fn shape_of_run(run: &str) -> Option<SecretShape> {
    if is_licence_key(run) {
        return Some(SecretShape::LicenceKey);
    }
    let is_separator = |character: char| !character.is_ascii_alphanumeric();
    let pieces: Vec<&str> = run.split(is_separator).collect();
    let mut rest = pieces.as_slice();
    let mut random = 0_usize;
    while let Some((piece, others)) = rest.split_first() {
        if is_uuid(rest) {
            rest = rest.get(UUID_GROUPS.len()..).unwrap_or_default();
            continue;
        }
        if is_random(piece) {
            random = random.saturating_add(piece.len());
        }
        rest = others;
    }
    (random >= RANDOM_CHARACTERS_MIN).then_some(SecretShape::RandomToken)
}

/// Whether the next pieces are those of a UUID.
fn is_uuid(pieces: &[&str]) -> bool {
    let is_hex = |piece: &str| piece.chars().all(|digit| digit.is_ascii_hexdigit());
    pieces.len() >= UUID_GROUPS.len()
        && pieces
            .iter()
            .zip(UUID_GROUPS)
            .all(|(piece, length)| piece.len() == length && is_hex(piece))
}

/// Whether a piece of letters and digits looks drawn at random: words and numbers change seldom from
/// one sort of character to another, what is drawn changes all the time.
fn is_random(piece: &str) -> bool {
    if piece.len() < RANDOM_PIECE_MIN {
        return false;
    }
    let sort = |character: u8| match character {
        b'0'..=b'9' => 0_u8,
        b'a'..=b'z' => 1,
        _ => 2,
    };
    let sorts: Vec<u8> = piece.bytes().map(sort).collect();
    let changes = sorts.windows(2).filter(|pair| pair.first() != pair.last());
    let changes = changes.count();
    // Capitals begin words, so among both cases more changes are usual.
    let both_cases = sorts.contains(&1) && sorts.contains(&2);
    let weight = if both_cases { 3 } else { 4 };
    changes.saturating_mul(weight) >= piece.len()
}

/// Whether a run is four groups or more of the same length, of capitals and digits, as licence and
/// recovery keys have.
fn is_licence_key(run: &str) -> bool {
    let groups: Vec<&str> = run.split('-').collect();
    let length = groups.first().map_or(0, |group| group.len());
    let fits = |group: &&str| {
        let mut characters = group.bytes();
        group.len() == length
            && characters.all(|found| found.is_ascii_uppercase() || found.is_ascii_digit())
    };
    if groups.len() < KEY_GROUPS_MIN
        || !KEY_GROUP_LENGTHS.contains(&length)
        || !groups.iter().all(fits)
    {
        return false;
    }
    let characters = length.saturating_mul(groups.len());
    let has_both = |group: &&&str| {
        let has = |sort: fn(&u8) -> bool| group.as_bytes().iter().any(sort);
        has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase)
    };
    let only_digits = run
        .bytes()
        .all(|found| found == b'-' || found.is_ascii_digit());
    let is_mixed = groups.iter().filter(has_both).count() >= 2;
    (is_mixed && characters >= KEY_CHARACTERS_MIN) || (only_digits && characters >= KEY_DIGITS_MIN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_like_a_secret() {
        use SecretShape as Shape;
        // Put together here, so that nobody's scanner takes them for real ones.
        let cases = [
            (
                format!("-----BEGIN {} PRIVATE KEY-----\nMIIE", "RSA"),
                Shape::KeyBlock,
            ),
            (
                "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----".to_owned(),
                Shape::KeyBlock,
            ),
            (
                "-----begin pgp private key block-----".to_owned(),
                Shape::KeyBlock,
            ),
            (
                "PuTTY-User-Key-File-3: ssh-ed25519".to_owned(),
                Shape::KeyBlock,
            ),
            (
                format!("key is {}IOSFODNN7EXAMPLE", "AKIA"),
                Shape::KnownToken,
            ),
            (
                format!("{}_16C7e42F292c6912E7710c838347Ae178B4a", "ghp"),
                Shape::KnownToken,
            ),
            (
                format!("bot {}-17653672481-19874698323", "xoxb"),
                Shape::KnownToken,
            ),
            (
                format!("{}hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x", "eyJ"),
                Shape::KnownToken,
            ),
            (
                format!("{}_live_4eC39HqLyjWDarjtT1", "sk"),
                Shape::KnownToken,
            ),
            ("Password: hunter2".to_owned(), Shape::Labelled),
            ("password = correcthorse".to_owned(), Shape::Labelled),
            ("Passwords:\n  first".to_owned(), Shape::Labelled),
            ("DB_PASSWORD=x".to_owned(), Shape::Labelled),
            ("\"password\": \"x\"".to_owned(), Shape::Labelled),
            ("Kennwort: Sommer".to_owned(), Shape::Labelled),
            ("client secret: abc".to_owned(), Shape::Labelled),
            ("PIN: 4711".to_owned(), Shape::Labelled),
            ("auth code: Xy7-pq".to_owned(), Shape::Labelled),
            ("admin, pw: Sommer24!".to_owned(), Shape::Labelled),
            (
                "https://admin:sesame@fw.example/login".to_owned(),
                Shape::UrlPassword,
            ),
            (
                "VK7JG-NPHTM-C97JM-9MPGT-3V66T".to_owned(),
                Shape::LicenceKey,
            ),
            (
                "123456-234567-345678-456789-567890-678901-789012-890123".to_owned(),
                Shape::LicenceKey,
            ),
            (
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ3vT9kLmW2a".to_owned(),
                Shape::RandomToken,
            ),
            (
                "it is d41d8cd98f00b204e9800998ecf8427e".to_owned(),
                Shape::RandomToken,
            ),
            ("k7f3m9x2q8w4z6t1v5b0n3c7".to_owned(), Shape::RandomToken),
        ];
        for (text, shape) in cases {
            assert_eq!(looks_like_secret(&text), Some(shape), "{text}");
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
}
