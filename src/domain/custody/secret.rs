//! Text that looks like a secret and therefore is not taken: where something is kept may be written
//! down, what it is may not.
//!
//! The rules catch what is pasted by mistake, not what somebody hides. They look at shapes alone, with
//! whole numbers, and say only which shape it was, never the text. A public value may have such a shape
//! as well (a fingerprint, a verification record); a short password without a word before it has none.

#[cfg(test)]
mod tests;

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
    /// A key or certificate in its armour, such as those of PEM, SSH and PGP.
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
