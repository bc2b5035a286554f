//! Tokens good and bad, against an issuer on this machine that misbehaves on demand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{EncodingKey, Header};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// When the tests take place, in seconds since 1970.
const NOW: u64 = 1_772_438_400;
const AUDIENCE: &str = "entente";

fn at(seconds: u64) -> Timestamp {
    instant(seconds)
}

/// A key of an issuer.
struct Pen {
    kid: &'static str,
    algorithm: Algorithm,
    key: KeyPair,
}

impl Pen {
    fn ec(kid: &'static str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let algorithm = Algorithm::ES256;
        Self {
            kid,
            algorithm,
            key,
        }
    }

    fn ed(kid: &'static str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let algorithm = Algorithm::EdDSA;
        Self {
            kid,
            algorithm,
            key,
        }
    }

    fn jwk(&self) -> Value {
        let public = self.key.public_key_raw();
        if self.algorithm == Algorithm::EdDSA {
            let x = BASE64URL_NOPAD.encode(public);
            return json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": x});
        }
        let [x, y] = [&public[1..33], &public[33..]].map(|part| BASE64URL_NOPAD.encode(part));
        json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "alg": "ES256", "x": x, "y": y})
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.to_owned());
        self.sign_with(&header, claims)
    }

    fn sign_with(&self, header: &Header, claims: &Value) -> String {
        let der = self.key.serialize_der();
        let key = match self.algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_ec_der(&der),
        };
        jsonwebtoken::encode(header, claims, &key).unwrap()
    }
}

/// What the issuer's server does.
#[derive(Clone, Debug)]
enum Conduct {
    Answer(String),
    Hang,
    Flood,
    Fail,
    Redirect,
}

/// An issuer on this machine.
struct Provider {
    issuer: String,
    conduct: Arc<std::sync::Mutex<Conduct>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let conduct = Arc::new(std::sync::Mutex::new(conduct));
        let asked = Arc::new(AtomicUsize::new(0));
        let (doing, counting, me) = (Arc::clone(&conduct), Arc::clone(&asked), issuer.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let doing = Arc::clone(&doing);
                tokio::spawn(answer(stream, doing, Arc::clone(&counting), me.clone()));
            }
        });
        Self {
            issuer,
            conduct,
            asked,
        }
    }

    async fn with_keys(pens: &[&Pen]) -> Self {
        Self::start(keys(pens)).await
    }

    fn does(&self, conduct: Conduct) {
        *self.conduct.lock().unwrap() = conduct;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn setting(&self) -> TokenIssuer {
        TokenIssuer {
            issuer: self.issuer.clone(),
            audience: AUDIENCE.to_owned(),
            keys_url: Some(format!("{}/keys", self.issuer)),
            algorithms: None,
        }
    }

    fn verifier(&self) -> Verifier {
        Verifier::new(&[self.setting()]).unwrap()
    }

    fn claims(&self) -> Value {
        json!({"iss": self.issuer, "sub": "psa", "aud": AUDIENCE, "exp": NOW + 300, "nbf": NOW})
    }
}

fn keys(pens: &[&Pen]) -> Conduct {
    let keys: Vec<Value> = pens.iter().map(|pen| pen.jwk()).collect();
    Conduct::Answer(json!({ "keys": keys }).to_string())
}

async fn answer(
    mut stream: TcpStream,
    conduct: Arc<std::sync::Mutex<Conduct>>,
    asked: Arc<AtomicUsize>,
    me: String,
) {
    let mut request = [0; 4096];
    let read = stream.read(&mut request).await.unwrap();
    let request = String::from_utf8_lossy(&request[..read]).into_owned();
    let ok = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    if request.starts_with("GET /.well-known/openid-configuration ") {
        let document = json!({"issuer": me, "jwks_uri": format!("{me}/keys")}).to_string();
        stream.write_all(ok(&document).as_bytes()).await.unwrap();
        return;
    }
    asked.fetch_add(1, Ordering::SeqCst);
    let conduct = conduct.lock().unwrap().clone();
    let text = match conduct {
        Conduct::Answer(body) => ok(&body),
        Conduct::Hang => return std::future::pending().await,
        Conduct::Flood => {
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"keys\": [";
            stream.write_all(head.as_bytes()).await.unwrap();
            // A hundred megabytes, if anybody takes them.
            let spaces = vec![b' '; 1_000_000];
            for _ in 0..100 {
                if stream.write_all(&spaces).await.is_err() {
                    return;
                }
            }
            panic!("it took everything");
        }
        Conduct::Fail => {
            "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
        }
        Conduct::Redirect => format!(
            "HTTP/1.1 302 There\r\nlocation: {me}/keys\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ),
    };
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn fault(verifier: &Verifier, token: &str, now: u64) -> TokenFault {
    verifier.verify(token, at(now)).await.unwrap_err()
}

#[tokio::test]
async fn good_tokens_say_who_it_is() {
    let (ec, ed) = (Pen::ec("a"), Pen::ed("b"));
    let provider = Provider::with_keys(&[&ec, &ed]).await;
    let verifier = provider.verifier();
    let expected = Identity::Token {
        issuer: provider.issuer.clone(),
        subject: "psa".to_owned(),
    };
    for pen in [&ec, &ed] {
        let token = pen.sign(&provider.claims());
        assert_eq!(
            verifier.verify(&token, at(NOW)).await.as_ref(),
            Ok(&expected)
        );
    }
    let mut claims = provider.claims();
    claims["aud"] = json!(["others", AUDIENCE]);
    claims.as_object_mut().unwrap().remove("nbf");
    let token = ec.sign(&claims);
    // As long as clocks may differ.
    for now in [NOW - 1_000_000, NOW, NOW + 359] {
        assert_eq!(
            verifier.verify(&token, at(now)).await.as_ref(),
            Ok(&expected)
        );
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn the_issuer_tells_where_its_keys_are() {
    let pen = Pen::ec("a");
    let provider = Provider::with_keys(&[&pen]).await;
    let setting = TokenIssuer {
        keys_url: None,
        ..provider.setting()
    };
    let verifier = Verifier::new(&[setting]).unwrap();
    let token = pen.sign(&provider.claims());
    assert!(verifier.verify(&token, at(NOW)).await.is_ok());
}

#[tokio::test]
async fn bad_tokens_prove_nothing() {
    let (pen, other) = (Pen::ec("a"), Pen::ec("a"));
    let provider = Provider::with_keys(&[&pen]).await;
    let verifier = provider.verifier();
    let with = |field: &str, value: Value| {
        let mut claims = provider.claims();
        claims[field] = value;
        claims
    };
    let mut without_expiry = provider.claims();
    without_expiry.as_object_mut().unwrap().remove("exp");
    let good = pen.sign(&provider.claims());
    let (message, _) = good.rsplit_once('.').unwrap();
    let none = BASE64URL_NOPAD.encode(br#"{"alg":"none","kid":"a"}"#);
    let claims = BASE64URL_NOPAD.encode(provider.claims().to_string().as_bytes());
    let mut critical = Header::new(Algorithm::ES256);
    critical.kid = Some("a".to_owned());
    critical.crit = Some(vec!["exp".to_owned()]);
    // The public key, which everybody knows, as if it were a shared secret.
    let mut confused = Header::new(Algorithm::HS256);
    confused.kid = Some("a".to_owned());
    let public = EncodingKey::from_secret(pen.key.public_key_raw());
    let confused = jsonwebtoken::encode(&confused, &provider.claims(), &public).unwrap();
    let other_subject = BASE64URL_NOPAD.encode(with("sub", json!("admin")).to_string().as_bytes());
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    for (token, cause) in [
        (other.sign(&provider.claims()), "token_forged"),
        (
            format!("{head}.{other_subject}.{signature}"),
            "token_forged",
        ),
        (pen.sign(&with("exp", json!(NOW - 60))), "token_expired"),
        (
            pen.sign(&with("nbf", json!(NOW + 61))),
            "token_not_yet_valid",
        ),
        (
            pen.sign(&with("aud", json!("somebody else"))),
            "token_for_other_audience",
        ),
        (
            pen.sign(&with("aud", json!([]))),
            "token_for_other_audience",
        ),
        (
            pen.sign(&with("iss", json!("https://other.example"))),
            "token_of_other_issuer",
        ),
        (pen.sign(&with("sub", json!(""))), "token_malformed"),
        (pen.sign(&with("exp", json!("soon"))), "token_malformed"),
        (pen.sign(&without_expiry), "token_malformed"),
        (
            pen.sign_with(&critical, &provider.claims()),
            "token_critical_header",
        ),
        (confused, "token_algorithm"),
        (format!("{none}.{claims}."), "token_malformed"),
        (format!("{message}."), "token_forged"),
        ("a.b.c".to_owned(), "token_malformed"),
        (String::new(), "token_malformed"),
        ("x".repeat(TOKEN_BYTES_MAX + 1), "token_too_long"),
    ] {
        let found = fault(&verifier, &token, NOW).await;
        assert_eq!(found, TokenFault::Invalid(cause), "{token}");
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn an_algorithm_that_is_not_named_is_refused() {
    let (ec, ed) = (Pen::ec("a"), Pen::ed("b"));
    let provider = Provider::with_keys(&[&ec, &ed]).await;
    let setting = TokenIssuer {
        algorithms: Some(vec!["ES256".to_owned()]),
        ..provider.setting()
    };
    let verifier = Verifier::new(&[setting]).unwrap();
    assert!(
        verifier
            .verify(&ec.sign(&provider.claims()), at(NOW))
            .await
            .is_ok()
    );
    let found = fault(&verifier, &ed.sign(&provider.claims()), NOW).await;
    assert_eq!(found, TokenFault::Invalid("token_algorithm"));
    // A key of another sort under the same id.
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("b".to_owned());
    let found = fault(&verifier, &ec.sign_with(&header, &provider.claims()), NOW).await;
    assert_eq!(found, TokenFault::Invalid("token_key_unknown"));
}

#[tokio::test]
async fn a_storm_of_unknown_keys_asks_little() {
    let pen = Pen::ec("a");
    let provider = Provider::with_keys(&[&pen]).await;
    let verifier = provider.verifier();
    let token = pen.sign(&provider.claims());
    assert!(verifier.verify(&token, at(NOW)).await.is_ok());
    // A hundred a second for two minutes, each with a key of its own.
    for second in 0..120_u64 {
        let strange = Pen::ec("a").sign_with(
            &Header {
                kid: Some(format!("unknown-{second}")),
                ..Header::new(Algorithm::ES256)
            },
            &provider.claims(),
        );
        for _ in 0..100 {
            let found = fault(&verifier, &strange, NOW + second).await;
            assert_eq!(found, TokenFault::Invalid("token_key_unknown"));
        }
    }
    // At the beginning, and then once in each half minute.
    assert_eq!(provider.asked(), 4);
}

#[tokio::test]
async fn new_keys_are_found_and_old_ones_forgotten() {
    let (old, new) = (Pen::ec("old"), Pen::ec("new"));
    let provider = Provider::with_keys(&[&old]).await;
    let verifier = provider.verifier();
    let (by_old, by_new) = (old.sign(&provider.claims()), new.sign(&provider.claims()));
    assert!(verifier.verify(&by_old, at(NOW)).await.is_ok());
    provider.does(keys(&[&new]));
    let found = fault(&verifier, &by_new, NOW + 29).await;
    assert_eq!(found, TokenFault::Invalid("token_key_unknown"));
    assert!(verifier.verify(&by_new, at(NOW + 30)).await.is_ok());
    let found = fault(&verifier, &by_old, NOW + 31).await;
    assert_eq!(found, TokenFault::Invalid("token_key_unknown"));
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn keys_serve_on_while_the_issuer_is_down() {
    let pen = Pen::ec("a");
    let provider = Provider::with_keys(&[&pen]).await;
    let verifier = provider.verifier();
    let mut claims = provider.claims();
    claims["exp"] = json!(NOW + 1_000_000);
    let token = pen.sign(&claims);
    assert!(verifier.verify(&token, at(NOW)).await.is_ok());
    for conduct in [Conduct::Fail, Conduct::Hang, Conduct::Redirect] {
        provider.does(conduct.clone());
        for now in [NOW + 700, NOW + 86_399] {
            let answered = verifier.verify(&token, at(now));
            let soon = Duration::from_secs(1);
            let answered = tokio::time::timeout(soon, answered).await;
            assert!(answered.expect("nobody waits").is_ok(), "{conduct:?}");
        }
    }
    let found = fault(&verifier, &token, NOW + 86_400).await;
    assert_eq!(found, TokenFault::KeysUnavailable);
    provider.does(keys(&[&pen]));
    assert!(verifier.verify(&token, at(NOW + 86_500)).await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_hangs_or_floods_is_given_up() {
    let pen = Pen::ec("a");
    for conduct in [
        Conduct::Flood,
        Conduct::Fail,
        Conduct::Answer("[]".to_owned()),
        Conduct::Hang,
    ] {
        let provider = Provider::start(conduct.clone()).await;
        let verifier = Arc::new(provider.verifier());
        let token = pen.sign(&provider.claims());
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let (verifier, token) = (Arc::clone(&verifier), token.clone());
                tokio::spawn(async move { fault(&verifier, &token, NOW).await })
            })
            .collect();
        for call in calls {
            let found = tokio::time::timeout(Duration::from_secs(8), call).await;
            assert_eq!(
                found.unwrap().unwrap(),
                TokenFault::KeysUnavailable,
                "{conduct:?}"
            );
        }
        assert_eq!(provider.asked(), 1, "{conduct:?}: one asks for all");
    }
}

#[test]
fn settings_at_fault_are_named() {
    let setting = |issuer: &str, audience: &str| TokenIssuer {
        issuer: issuer.to_owned(),
        audience: audience.to_owned(),
        keys_url: None,
        algorithms: None,
    };
    let good = setting("https://login.example", AUDIENCE);
    assert!(Verifier::new(std::slice::from_ref(&good)).is_ok());
    let algorithms = |name: &str| TokenIssuer {
        algorithms: Some(vec![name.to_owned()]),
        ..good.clone()
    };
    let keys_url = TokenIssuer {
        keys_url: Some("http://10.0.0.1/keys".to_owned()),
        ..good.clone()
    };
    for (settings, named) in [
        (vec![setting("https://login.example", "")], "audience"),
        (vec![setting("", AUDIENCE)], "issuer"),
        (vec![setting("http://login.example", AUDIENCE)], "https"),
        (vec![setting("login", AUDIENCE)], "login"),
        (vec![keys_url], "keys_url"),
        (vec![algorithms("HS256")], "HS256"),
        (vec![algorithms("none")], "none"),
        (vec![good.clone(), good.clone()], "twice"),
    ] {
        let error = Verifier::new(&settings).err().expect("it is at fault");
        assert!(error.contains(named), "{error}");
    }
}
