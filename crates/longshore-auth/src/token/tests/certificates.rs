//! Chains of certificates, and bundles.

use longshore_core::Actor;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};

use super::super::*;
use super::support::*;
use crate::watched::Parsed as _;

/// The tests' moment is in March 2030.
fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2030, 1, 1);
    params.not_after = date_time_ymd(2030, 12, 31);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// A root, an authority under it, and a signer under that.
struct Pki {
    root: CertifiedIssuer<'static, KeyPair>,
    middle: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let root =
            CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap()).unwrap();
        let middle =
            CertifiedIssuer::signed_by(authority("middle"), KeyPair::generate().unwrap(), &root)
                .unwrap();
        Pki { root, middle }
    }

    fn signer(&self, params: &CertificateParams) -> (Signer, Vec<u8>) {
        let pair = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&pair, &self.middle).unwrap();
        (
            Signer::es256_from(&pair.serialize_der()),
            certificate.der().to_vec(),
        )
    }
}

fn header(chain: &[&[u8]]) -> String {
    use base64::Engine as _;
    let chain: Vec<String> = chain
        .iter()
        .map(|der| {
            format!(
                "{:?}",
                base64::engine::general_purpose::STANDARD.encode(der)
            )
        })
        .collect();
    format!(
        r#"{{"typ":"JWT","alg":"ES256","x5c":[{}]}}"#,
        chain.join(",")
    )
}

#[tokio::test]
async fn a_chain_to_a_root_of_the_bundle_is_trusted_while_it_is_valid() {
    let pki = Pki::new();
    let mut usage = params("signer");
    usage.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    for params in [params("signer"), usage] {
        let (signer, leaf) = pki.signer(&params);
        let files = Files::new();
        let tokens = with_bundle(&files.write("roots.pem", &pki.root.pem())).await;
        let token = signer.token(
            &header(&[&leaf, pki.middle.der()]),
            &claims(&[("exp", "4000000000")]),
        );
        let identity = tokens.identify(token.as_bytes(), at(0)).await.unwrap();
        assert_eq!(identity.actor, Actor::Named("alice".into()));
        assert_eq!(why(&tokens, &token, at(10)).await, "");
        assert_eq!(tokens.checked(), 1);
        let year = 365 * 24 * 3600;
        assert_eq!(
            why(&tokens, &token, at(year)).await,
            "the certificate is not valid now",
            "remembered or not"
        );
    }
}

#[tokio::test]
async fn a_chain_that_ends_elsewhere_lacks_a_link_or_comes_without_roots_is_refused() {
    let (pki, other) = (Pki::new(), Pki::new());
    let (signer, leaf) = pki.signer(&params("signer"));
    let files = Files::new();
    let tokens = with_bundle(&files.write("roots.pem", &other.root.pem())).await;
    let token = signer.token(
        &header(&[&leaf, pki.middle.der(), pki.root.der()]),
        &claims(&[]),
    );
    let nowhere = "the chain does not lead to a trusted root, or is not valid now";
    assert_eq!(why(&tokens, &token, at(0)).await, nowhere);

    let tokens = with_bundle(&files.write("right.pem", &pki.root.pem())).await;
    assert_eq!(
        why(
            &tokens,
            signer.token(&header(&[&leaf]), &claims(&[])),
            at(0)
        )
        .await,
        nowhere
    );
    assert_eq!(why(&tokens, &token, at(0)).await, "");
    let stranger = Signer::es256();
    let forged = stranger.token(&header(&[&leaf, pki.middle.der()]), &claims(&[]));
    assert_eq!(why(&tokens, forged, at(0)).await, "the signature is wrong");

    let (_files, bare) = trusting(&[&signer]).await;
    let why_bare = why(&bare, &token, at(0)).await;
    assert_eq!(
        why_bare,
        "the token brings certificates, and no root certificates are configured"
    );
}

#[tokio::test]
async fn an_end_certificate_cannot_vouch_for_another() {
    let pki = Pki::new();
    let pair = KeyPair::generate().unwrap();
    let end = CertifiedIssuer::signed_by(params("end"), pair, &pki.middle).unwrap();
    let below = KeyPair::generate().unwrap();
    let certificate = params("below").signed_by(&below, &end).unwrap();
    let signer = Signer::es256_from(&below.serialize_der());
    let files = Files::new();
    let tokens = with_bundle(&files.write("roots.pem", &pki.root.pem())).await;
    let chain = header(&[certificate.der(), end.der(), pki.middle.der()]);
    let nowhere = "the chain does not lead to a trusted root, or is not valid now";
    assert_eq!(
        why(&tokens, signer.token(&chain, &claims(&[])), at(0)).await,
        nowhere
    );
}

#[tokio::test]
async fn a_self_signed_certificate_of_the_bundle_works_by_chain_and_by_key() {
    for params in [params("self"), authority("self")] {
        let pair = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&pair).unwrap();
        let signer = Signer::es256_from(&pair.serialize_der());
        let files = Files::new();
        let tokens = with_bundle(&files.write("bundle.pem", &certificate.pem())).await;
        assert_eq!(
            why(
                &tokens,
                signer.token(&header(&[certificate.der()]), &claims(&[])),
                at(0)
            )
            .await,
            ""
        );
        assert_eq!(why(&tokens, signer.good(), at(0)).await, "");
        let libtrust = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, signer.key.libtrust);
        assert_eq!(
            why(&tokens, signer.token(&libtrust, &claims(&[])), at(0)).await,
            ""
        );
    }
}

#[tokio::test]
async fn a_malformed_chain_is_refused() {
    let pki = Pki::new();
    let (signer, leaf) = pki.signer(&params("signer"));
    let files = Files::new();
    let tokens = with_bundle(&files.write("roots.pem", &pki.root.pem())).await;
    let many: Vec<&[u8]> = vec![&[1, 2, 3]; 11];
    for header in [
        header(&[]),
        header(&many),
        header(&[b"junk"]),
        header(&[&leaf, b"junk"]),
        r#"{"alg":"ES256","x5c":"MIIB"}"#.to_owned(),
        r#"{"alg":"ES256","x5c":["!"]}"#.to_owned(),
        r#"{"alg":"ES256","x5c":[1]}"#.to_owned(),
        r#"{"alg":"ES256","x5c":null}"#.to_owned(),
    ] {
        assert_ne!(
            why(&tokens, signer.token(&header, &claims(&[])), at(0)).await,
            "",
            "{header}"
        );
    }
}

#[test]
fn a_bundle_says_which_of_its_blocks_does_not_belong() {
    let problem = |text: &str| Bundle::parse(text.as_bytes()).err().unwrap();
    let signer = Signer::es256();
    let secret = KeyPair::generate().unwrap().serialize_pem();
    assert!(problem(&(signer.pem() + &secret)).starts_with("PEM block 2 is a private key"));
    assert!(problem("").contains("no PEM certificate"));
    assert!(
        problem(&pem("PUBLIC KEY", &[0x30, 0])).starts_with("PEM block 1: the key cannot be used")
    );
    assert!(problem(&pem("CERTIFICATE", b"junk")).contains("certificate is malformed"));
}

#[test]
fn a_set_leaves_out_keys_for_something_else_and_needs_one_for_this() {
    let signer = Signer::es256();
    let good = signer.jwk("good");
    let others = [
        good.replace(r#""use":"sig""#, r#""use":"enc""#),
        good.replace(r#""alg":"ES256""#, r#""alg":"ES384""#),
        good.replace(r#""alg":"ES256""#, r#""alg":"HS256""#),
        good.replace(r#""kty":"EC""#, r#""kty":"RSA""#),
        good.replace("P-256", "P-521"),
        good.replace(r#""kid":"good""#, r#""kid":7"#),
        good.replace(r#""use":"sig""#, r#""key_ops":["sign"]"#),
        r#"{"kty":"oct","k":"c2VjcmV0","kid":"good","alg":"HS256"}"#.to_owned(),
    ];
    for other in others {
        assert!(
            JwkSet::parse(format!(r#"{{"keys":[{other}]}}"#).as_bytes()).is_err(),
            "{other}"
        );
        let set = JwkSet::parse(format!(r#"{{"keys":[{other},{good}]}}"#).as_bytes()).unwrap();
        assert_eq!(
            (set.warnings().len(), set.0.named("good").len()),
            (1, 1),
            "{other}"
        );
    }
    for broken in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":[]}"#,
    ] {
        assert!(JwkSet::parse(broken.as_bytes()).is_err(), "{broken}");
    }
}
