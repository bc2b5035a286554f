//! Keys and trusted identities on the command line.

use std::path::Path;

use serde_json::{Value, json};

use super::program::entente;

/// What a command prints as JSON, or what it says is wrong.
async fn keys(folder: &Path, arguments: &[&str]) -> Result<Value, String> {
    let url = format!("sqlite://{}", folder.join("entente.db").display());
    let mut command = entente();
    command.arg("keys").args(arguments);
    command.args(["--output", "json", "--database-url", &url]);
    let done = command.output().await.unwrap();
    if done.status.success() {
        return Ok(serde_json::from_slice(&done.stdout).unwrap());
    }
    Err(String::from_utf8(done.stderr).unwrap())
}

#[tokio::test]
async fn keys_are_kept_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = keys(
        folder,
        &["create", "--firm", "acme", "--permissions", "read"],
    )
    .await;
    let made = made.unwrap();
    let name = made["name"].as_str().unwrap();
    let rotated = keys(folder, &["rotate", name, "--overlap-hours", "1"]).await;
    let rotated = rotated.unwrap();
    assert_eq!(
        (&rotated["name"], &rotated["permissions"]),
        (&made["name"], &json!(["read"]))
    );
    assert_ne!(rotated["api_key"], made["api_key"]);
    let whom = [
        "--token-issuer",
        "https://login.example",
        "--token-subject",
        "psa",
    ];
    let trust = [
        &["trust", "--firm", "acme", "--permissions", "read,tickets"][..],
        &whom,
    ]
    .concat();
    let trusted = keys(folder, &trust).await.unwrap();
    assert_eq!(trusted["state"], "active");
    let again = keys(folder, &trust).await.unwrap_err();
    assert!(again.contains("trusts"), "{again}");
    let revoked = keys(folder, &["revoke", name]).await.unwrap();
    assert_eq!(revoked["state"], "revoked");
    let trusted_name = trusted["name"].as_str().unwrap();
    keys(folder, &["revoke", trusted_name]).await.unwrap();

    let listed = keys(folder, &["list", "--firm", "acme"]).await.unwrap();
    let listed: Vec<(&Value, &Value)> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["name"], &one["state"]))
        .collect();
    let revoked = json!("revoked");
    assert_eq!(
        listed,
        [(&made["name"], &revoked), (&trusted["name"], &revoked)]
    );
    for wrong in [
        &["revoke", "acme"][..],
        &["rotate", trusted_name],
        &["rotate", name],
        &["rotate", name, "--overlap-hours", "169"],
        &["trust", "--firm", "acme"],
        &[
            "trust",
            "--firm",
            "acme",
            "--token-issuer",
            "https://login.example",
        ],
        &[
            "trust",
            "--firm",
            "acme",
            "--certificate-dns-name",
            "*.example",
        ],
    ] {
        assert!(keys(folder, wrong).await.is_err(), "{wrong:?}");
    }
}
