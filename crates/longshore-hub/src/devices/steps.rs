//! What is done for logins of command lines within transactions.

use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::devices::{
    Codes, Decision, Device, device_by_code, device_count, device_decide, device_delete,
    device_drop_oldest, device_find, device_forget, device_polled, device_put,
};
use longshore_meta::logins::{Login, login_by_id};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::secrets::NewSecret;
use longshore_meta::time::span;
use serde_json::json;

use super::{CODE_LIVES, DevicePoll, FORGET, FROM_ONE, HASTE, KEPT, MOST, SLOWER};
use crate::hub::Done;
use crate::names::missing;
use crate::own::OwnPermit;
use crate::tokens::token_create;

pub(super) fn is_open(device: &Device, now: i64) -> bool {
    device.decision == Decision::Waiting && now < device.expires
}

pub(super) fn no_code() -> Error {
    missing("code: it was mistyped, used, or is older than ten minutes")
}

pub(super) async fn begin(tx: &mut Tx<'_>, codes: &Codes, device: &Device) -> Result<()> {
    let (now, since) = (device.created, device.created - span(CODE_LIVES));
    device_forget(tx, now.saturating_sub(span(KEPT)), FORGET).await?;
    let (from_there, all) = device_count(tx, &device.network, since).await?;
    if from_there >= FROM_ONE {
        return Err(Error::new(
            Code::TooManyRequests,
            "too many logins wait at your address; end one, or try again in ten minutes",
        ));
    }
    if let Some(surplus) = (all + 1).checked_sub(MOST)
        && surplus > 0
    {
        device_drop_oldest(tx, surplus).await?;
    }
    device_put(tx, codes, device).await
}

pub(super) async fn decide(
    tx: &mut Tx<'_>,
    permit: &OwnPermit,
    (code, decision): &([u8; 32], Decision),
) -> Result<Done<()>> {
    let (account, now) = (permit.account(), permit.caller().micros());
    let device = device_by_code(tx, code).await?;
    let device = device.filter(|it| is_open(it, now)).ok_or_else(no_code)?;
    let login = login_by_id(tx, account.id.0).await?.ok_or_else(no_code)?;
    let by = (login.id, login.version);
    if !device_decide(tx, code, *decision, by, now).await? {
        return Err(no_code());
    }
    let word = match decision {
        Decision::Approved => "approved",
        _ => "denied",
    };
    Ok(Done {
        value: (),
        object: account.name.clone(),
        namespace: NamespaceId(0),
        detail: json!({
            "device": word, "client": device.client, "origin": device.origin, "scope": device.scope,
        }),
    })
}

pub(super) enum Polled {
    Said(DevicePoll),
    Approved(Box<(Device, Login)>),
}

pub(super) async fn poll(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    client: &str,
    now: i64,
) -> Result<Polled> {
    let said = |poll| Ok(Polled::Said(poll));
    let found = device_find(tx, hash).await?;
    let Some(device) = found.filter(|device| device.client == client) else {
        return said(DevicePoll::Unknown);
    };
    if now >= device.expires {
        return said(DevicePoll::Expired);
    }
    match device.decision {
        Decision::Denied => said(DevicePoll::Denied),
        Decision::Waiting => {
            let least = device.pace.saturating_sub(span(HASTE));
            let too_soon = device.polled.is_some_and(|last| now < last + least);
            let pace = device.pace + if too_soon { span(SLOWER) } else { 0 };
            device_polled(tx, hash, now, pace).await?;
            said(if too_soon {
                DevicePoll::TooSoon
            } else {
                DevicePoll::Waiting
            })
        }
        Decision::Approved => {
            let login = login_by_id(tx, device.principal).await?;
            match login.filter(|login| holds(login, device.version, now)) {
                Some(login) => Ok(Polled::Approved(Box::new((device, login)))),
                None => said(DevicePoll::Denied),
            }
        }
    }
}

/// Whether whoever approved it may still act, and nothing was taken from them since.
fn holds(login: &Login, version: i64, now: i64) -> bool {
    login.state == 0 && login.version == version && login.expires.is_none_or(|end| now < end)
}

/// The token's id; nothing when its owner is not what they were when they approved it.
pub(super) async fn give(
    tx: &mut Tx<'_>,
    permit: &OwnPermit,
    (hash, row, version): &([u8; 32], NewSecret, i64),
) -> Result<Done<Option<i64>>> {
    let account = permit.account();
    if !device_delete(tx, hash).await? {
        return Err(no_code());
    }
    let login = login_by_id(tx, account.id.0).await?;
    let holds = login.is_some_and(|login| holds(&login, *version, permit.caller().micros()));
    if !holds {
        return Ok(Done {
            value: None,
            object: account.name.clone(),
            namespace: NamespaceId(0),
            detail: json!({ "device": "void" }),
        });
    }
    let done = token_create(tx, permit, row).await?;
    Ok(Done {
        value: Some(done.value.id),
        object: done.object,
        namespace: done.namespace,
        detail: done.detail,
    })
}
