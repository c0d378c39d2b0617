//! Certificates that clients show: what they say about whom, in words that rules name.
//!
//! A listener has verified the chain before anything is read here. Which of the names is somebody's is decided by rules
//! ([`Index::by_certificate`](crate::index::Index::by_certificate)): nobody is let in for having a certificate.

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::{DirectoryString, GeneralName};

/// The longest name that counts, in bytes, and the most names of one certificate.
const NAME: usize = 1024;
const NAMES: usize = 64;
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");

/// A name in a certificate, as rules write it: `uri:spiffe://acme/ci`, `dns:ci.acme.example`, `email:ann@acme.example`, `cn:ann`, or
/// `sha256:` and the fingerprint in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(String);

/// Why a text is no [`Subject`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a certificate is named by uri:, dns:, email:, cn: or sha256: and what it says there, to the letter and without `*`"
)]
pub struct SubjectError;

impl Subject {
    /// Reads one, as somebody wrote it for a rule.
    ///
    /// # Errors
    /// It is none.
    pub fn read(text: &str) -> Result<Self, SubjectError> {
        let (kind, value) = text.split_once(':').ok_or(SubjectError)?;
        let value = value.trim();
        if value.contains('*') || (kind == "uri" && !value.contains(':')) {
            return Err(SubjectError);
        }
        if kind == "sha256" {
            // As `openssl x509 -fingerprint` prints it, too.
            let digits: String = value
                .chars()
                .filter(|digit| *digit != ':')
                .map(|digit| digit.to_ascii_lowercase())
                .collect();
            let is_one = digits.len() == 64 && digits.bytes().all(|it| it.is_ascii_hexdigit());
            return is_one
                .then(|| Subject(format!("sha256:{digits}")))
                .ok_or(SubjectError);
        }
        Self::named(kind, value).ok_or(SubjectError)
    }

    /// As rules write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name of a kind, in the one form that is compared; none for what no rule should be about.
    fn named(kind: &str, value: &str) -> Option<Self> {
        let is_plain = |letter: char| !letter.is_control() && letter != '\u{fffd}';
        if value.is_empty() || value.len() > NAME || !value.chars().all(is_plain) {
            return None;
        }
        Some(Subject(match kind {
            "uri" | "cn" => format!("{kind}:{value}"),
            "dns" => format!("dns:{}", value.to_ascii_lowercase()),
            "email" => {
                let (local, domain) = value.rsplit_once('@')?;
                format!("email:{local}@{}", domain.to_ascii_lowercase())
            }
            _ => return None,
        }))
    }
}

/// What a certificate says, whose chain was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    subjects: Vec<Subject>,
    from: SystemTime,
    until: SystemTime,
}

/// Why nothing of a certificate is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be used: {0}")]
pub struct PresentedError(&'static str);

impl Presented {
    /// Reads the leaf of a chain. `constrained`: the authority it ends in may speak for some names only.
    ///
    /// Such a limit is about alternative names; the common name is outside of it, so it does not count then.
    ///
    /// # Errors
    /// It is malformed, or has a name that programs read differently.
    pub fn read(chain: &[&[u8]], constrained: bool) -> Result<Self, PresentedError> {
        let (leaf, rest) = chain.split_first().ok_or(PresentedError("there is none"))?;
        let malformed = |_| PresentedError("it is malformed");
        let certificate = Certificate::from_der(leaf).map_err(malformed)?;
        let tbs = certificate.tbs_certificate();
        let mut names: Vec<(&str, String)> = Vec::new();
        let alternative = tbs
            .get_extension::<SubjectAltName>()
            .map_err(malformed)?
            .map(|(_, names)| names.0);
        for name in alternative.iter().flatten() {
            match name {
                GeneralName::UniformResourceIdentifier(text) => {
                    names.push(("uri", text.to_string()));
                }
                GeneralName::DnsName(text) => names.push(("dns", text.to_string())),
                GeneralName::Rfc822Name(text) => names.push(("email", text.to_string())),
                _ => {}
            }
        }
        let is_constrained = constrained || rest.iter().any(|der| is_constrained(der));
        let mut common = tbs.subject().iter().filter(|it| it.oid == COMMON_NAME);
        // Of two common names programs believe different ones.
        if let (Some(name), None, false) = (common.next(), common.next(), is_constrained) {
            let der = name.value.to_der().map_err(malformed)?;
            if let Ok(text) = DirectoryString::from_der(&der) {
                names.push(("cn", text.value().into_owned()));
            }
        }
        if names.len() > NAMES {
            return Err(PresentedError("it has too many names"));
        }
        let mut subjects = Vec::with_capacity(names.len() + 1);
        for (kind, value) in &names {
            let subject = Subject::named(kind, value).ok_or(PresentedError(
                "it has a name with control characters, or none",
            ))?;
            subjects.push(subject);
        }
        let hash = digest(&SHA256, leaf);
        let digits: String = hash
            .as_ref()
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|nibble| char::from_digit(nibble.into(), 16))
            .collect();
        subjects.push(Subject(format!("sha256:{digits}")));
        subjects.sort();
        subjects.dedup();
        let validity = tbs.validity();
        let at = |since| SystemTime::UNIX_EPOCH.checked_add(since);
        let times = (
            at(validity.not_before.to_unix_duration()),
            at(validity.not_after.to_unix_duration()),
        );
        let (Some(from), Some(until)) = times else {
            return Err(PresentedError("its time cannot be kept"));
        };
        Ok(Self {
            subjects,
            from,
            until,
        })
    }

    /// All that it says about whom it is.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// When it ends.
    pub(crate) fn until(&self) -> SystemTime {
        self.until
    }

    /// Whether it is good at `now`: a connection may outlive it.
    pub fn holds(&self, now: SystemTime) -> bool {
        self.from <= now && now <= self.until
    }
}

/// Whether an authority may speak for some names only. One that cannot be read may.
pub fn is_constrained(authority: &[u8]) -> bool {
    let Ok(certificate) = Certificate::from_der(authority) else {
        return true;
    };
    let extensions = certificate.tbs_certificate().extensions();
    extensions.is_some_and(|all| all.iter().any(|it| it.extn_id == NAME_CONSTRAINTS))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

    use super::*;

    fn made(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn read(der: &[u8]) -> Result<Vec<String>, PresentedError> {
        let presented = Presented::read(&[der], false)?;
        let subjects = presented.subjects().iter();
        Ok(subjects
            .map(|it| it.as_str().to_owned())
            .filter(|it| !it.starts_with("sha256:"))
            .collect())
    }

    #[test]
    fn all_kinds_of_names_are_read_in_the_form_that_rules_have() {
        let der = made(|params| {
            params.distinguished_name.push(DnType::CommonName, "Ann");
            params.subject_alt_names = vec![
                SanType::URI("spiffe://acme/ci".try_into().unwrap()),
                SanType::DnsName("CI.Acme.Example".try_into().unwrap()),
                SanType::Rfc822Name("Ann@Acme.Example".try_into().unwrap()),
                SanType::IpAddress("192.0.2.1".parse().unwrap()),
            ];
        });
        assert_eq!(
            read(&der).unwrap(),
            [
                "cn:Ann",
                "dns:ci.acme.example",
                "email:Ann@acme.example",
                "uri:spiffe://acme/ci"
            ]
        );
        let fingerprint = Presented::read(&[&der], false).unwrap();
        let of = |subject: &Subject| subject.as_str().starts_with("sha256:");
        assert_eq!(fingerprint.subjects().iter().filter(|it| of(it)).count(), 1);
    }

    #[test]
    fn a_name_with_a_nul_makes_the_whole_certificate_unusable() {
        for value in ["boss\0.evil", "boss\n", "\u{1}"] {
            let by_name = made(|params| {
                params.distinguished_name.push(DnType::CommonName, value);
            });
            assert!(read(&by_name).is_err(), "{value:?}");
            let by_mail = made(|params| {
                let name = format!("{value}@acme.example");
                params.subject_alt_names = vec![SanType::Rfc822Name(name.try_into().unwrap())];
            });
            assert!(read(&by_mail).is_err(), "{value:?}");
        }
    }

    #[test]
    fn two_common_names_are_none_and_neither_is_one_under_a_limited_authority() {
        let two = made(|params| {
            params.distinguished_name.push(DnType::CommonName, "ann");
            let other = DnType::CustomDnType(vec![2, 5, 4, 3]);
            params.distinguished_name.push(other, "boss");
        });
        let names = read(&two).unwrap();
        assert!(names.len() != 1 || names == ["cn:ann"], "{names:?}");
        let one = made(|params| params.distinguished_name.push(DnType::CommonName, "ann"));
        let limited = Presented::read(&[&one], true).unwrap();
        assert!(
            limited
                .subjects()
                .iter()
                .all(|it| !it.as_str().starts_with("cn:"))
        );
        assert!(is_constrained(b"what cannot be read"));
    }

    #[test]
    fn a_rule_is_about_one_name_in_one_form() {
        let read = |text| Subject::read(text).map(|it| it.as_str().to_owned());
        assert_eq!(read("dns:CI.Acme").unwrap(), "dns:ci.acme");
        assert_eq!(read("email:Ann@ACME").unwrap(), "email:Ann@acme");
        let hash = "AB:".repeat(31) + "cd";
        assert_eq!(
            read(&format!("sha256:{hash}")).unwrap(),
            format!("sha256:{}cd", "ab".repeat(31))
        );
        for bad in [
            "",
            "ann",
            "cn:",
            "dns:*.acme",
            "email:ann",
            "uri:acme",
            "sha256:ab",
            "ip:192.0.2.1",
            "cn:a\0b",
        ] {
            assert!(Subject::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_makes_reading_panic() {
        let der = made(|params| params.distinguished_name.push(DnType::CommonName, "ann"));
        for at in 0..der.len() {
            drop(Presented::read(&[&der[..at]], false));
            let mut bent = der.clone();
            bent[at] ^= 0xff;
            drop(Presented::read(&[&bent], false));
        }
        assert!(Presented::read(&[], false).is_err());
    }
}
