//! What must hold of a genesis, whether it was read from a document or made by a program.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::account::Account;
use crate::address::check_prefix;
use crate::amount::{Amount, Denomination};
use crate::document::{At, Problems};
use crate::genesis::draft::{Draft, DraftAccount, DraftValidator};
use crate::genesis::errors::GenesisErrors;
use crate::genesis::{ACCOUNTS_MAX, Content, Genesis, NAME_BYTES_MAX};
use crate::number::Nonce;
use crate::parameters::{KEYS, Key, Parameters};
use crate::peer_id;
use crate::validators::{VALIDATORS_MAX, Validator};

/// Checks everything, whatever was found before, and reports all of it.
pub(super) fn check(draft: Draft, mut problems: Problems) -> Result<Genesis, GenesisErrors> {
    let name = draft.name.and_then(|name| check_name("the network's", name, &mut problems));
    let prefix = draft.prefix.and_then(|prefix| {
        let checked = check_prefix(&prefix.value);
        problems.note(prefix.line, checked).map(|()| prefix.value)
    });
    let parameters = check_parameters(draft.parameters, &mut problems);
    let validators =
        draft.validators.and_then(|validators| check_validators(validators, &mut problems));
    let accounts = draft.accounts.and_then(|accounts| {
        let prefix = prefix.as_deref().unwrap_or_default();
        check_accounts(accounts, prefix, draft.denomination.as_ref(), &mut problems)
    });
    let genesis = (|| {
        let (accounts, supply) = accounts?;
        let content = Content {
            name: name?,
            prefix: prefix?,
            denomination: draft.denomination?,
            parameters: parameters?,
            validators: validators?,
            accounts,
        };
        Some((content, supply))
    })();
    GenesisErrors::finish(problems, genesis).map(|(content, supply)| Genesis::of(content, supply))
}

/// Names end up in topics, file names and terminals, so they are plain.
fn check_name(whose: &str, name: At<String>, problems: &mut Problems) -> Option<String> {
    let plain = name
        .value
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if plain && !name.value.is_empty() && name.value.len() <= NAME_BYTES_MAX {
        return Some(name.value);
    }
    problems.push(
        name.line,
        format!(
            "{whose} name {:?} is not 1 to {NAME_BYTES_MAX} lower-case letters, digits and hyphens",
            name.value
        ),
    );
    None
}

fn check_parameters(
    found: [Option<At<u64>>; KEYS.len()],
    problems: &mut Problems,
) -> Option<Parameters> {
    let mut values = [0; KEYS.len()];
    let mut lines = [None; KEYS.len()];
    let mut whole = true;
    for (((key, found), value), line) in KEYS.iter().zip(found).zip(&mut values).zip(&mut lines) {
        let Some(found) = found else {
            whole = false;
            continue;
        };
        *line = found.line;
        match u32::try_from(found.value) {
            Ok(within) if (key.min..=key.max).contains(&within) => *value = within,
            Ok(_) | Err(_) => {
                whole = false;
                let Key { name, min, max, .. } = key;
                problems.push(
                    found.line,
                    format!("{name} is {}, it must be {min} to {max}", found.value),
                );
            }
        }
    }
    let parameters = Parameters::from_values(values).filter(|_| whole)?;
    if let Some((key, text)) = parameters.contradiction() {
        problems.push(lines.get(key).copied().flatten(), text);
    }
    Some(parameters)
}

fn check_validators(found: Vec<DraftValidator>, problems: &mut Problems) -> Option<Vec<Validator>> {
    if found.is_empty() || found.len() > VALIDATORS_MAX {
        problems
            .push(None, format!("{} validators, a network has 1 to {VALIDATORS_MAX}", found.len()));
    }
    let mut names = Unique::new("validator name");
    let mut keys = Unique::new("validator key");
    let mut peer_ids = Unique::new("peer id");
    let checked: Vec<Option<Validator>> = found
        .into_iter()
        .map(|validator| {
            let peer_id = validator.peer_id.and_then(|peer_id| {
                peer_ids.check(&peer_id, String::clone, problems);
                let node_key = peer_id::key_of(&peer_id.value);
                let node_key = problems.note(peer_id.line, node_key)?;
                Some((peer_id.value, node_key))
            });
            let key = validator.key.and_then(|key| {
                keys.check(&key, ToString::to_string, problems);
                let sound = key.value.check();
                problems.note(key.line, sound)?;
                if peer_id.as_ref().is_some_and(|(_, node)| *node == key.value) {
                    problems.push(
                        key.line,
                        "the validator key is also the node key of the peer id: \
                         they are two keys",
                    );
                }
                Some(key.value)
            });
            let name = validator.name.and_then(|name| {
                names.check(&name, String::clone, problems);
                check_name("a validator's", name, problems)
            });
            Some(Validator { name: name?, key: key?, peer_id: peer_id?.0 })
        })
        .collect();
    checked.into_iter().collect()
}

fn check_accounts(
    found: Vec<DraftAccount>,
    prefix: &str,
    denomination: Option<&Denomination>,
    problems: &mut Problems,
) -> Option<(Vec<Account>, Amount)> {
    if found.len() > ACCOUNTS_MAX {
        problems
            .push(None, format!("{} accounts, at most {ACCOUNTS_MAX} are possible", found.len()));
        return None;
    }
    let mut addresses = Unique::new("address");
    let mut supply = Some(Amount::ZERO);
    let mut checked = Vec::with_capacity(found.len());
    let mut whole = true;
    for account in found {
        if let Some(address) = &account.address {
            addresses.check(address, |address| address.to_text(prefix), problems);
        }
        if let (Some(balance), Some(sum)) = (&account.balance, supply) {
            supply = sum.checked_add(balance.value);
            if supply.is_none() {
                let amount_max = denomination.map_or_else(
                    || Amount::MAX.to_string(),
                    |denomination| denomination.format_with_symbol(Amount::MAX),
                );
                problems.push(
                    balance.line,
                    format!("with this balance the supply exceeds {amount_max}, the most possible"),
                );
            }
        }
        match (account.address, account.balance) {
            (Some(address), Some(balance)) => checked.push(Account {
                address: address.value,
                balance: balance.value,
                nonce: Nonce::FIRST,
            }),
            (None, _) | (_, None) => whole = false,
        }
    }
    let supply = supply?;
    if whole && supply.is_zero() {
        problems.push(None, "no account has a balance, so no transfer could ever be made");
    }
    whole.then_some((checked, supply))
}

/// Values of one kind, none of which may occur twice.
struct Unique<T> {
    kind: &'static str,
    first: BTreeMap<T, Option<usize>>,
}

impl<T: Ord + Clone> Unique<T> {
    const fn new(kind: &'static str) -> Self {
        Self { kind, first: BTreeMap::new() }
    }

    /// Notes a value that occurred before.
    fn check(&mut self, found: &At<T>, shown: impl FnOnce(&T) -> String, problems: &mut Problems) {
        match self.first.entry(found.value.clone()) {
            Entry::Vacant(place) => {
                place.insert(found.line);
            }
            Entry::Occupied(first) => {
                let before =
                    first.get().map_or_else(String::new, |line| format!(", first on line {line}"));
                let shown = shown(&found.value);
                let kind = self.kind;
                problems.push(found.line, format!("{kind} {shown} occurs twice{before}"));
            }
        }
    }
}
