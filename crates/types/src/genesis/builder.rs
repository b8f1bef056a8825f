//! A genesis made by a program, such as that of a local network.

use crate::address::Address;
use crate::amount::{Amount, Denomination};
use crate::document::{At, Problems};
use crate::genesis::draft::{Draft, DraftAccount, DraftValidator};
use crate::genesis::errors::GenesisErrors;
use crate::genesis::{Genesis, check};
use crate::parameters::Parameters;
use crate::validators::Validator;

/// The parts of a genesis, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenesisBuilder {
    /// The name of the network: 1 to 32 lower-case letters, digits and hyphens.
    pub name: String,
    /// What addresses begin with: 1 to 16 lower-case letters.
    pub prefix: String,
    /// The symbol of the money: 1 to 12 letters and digits, a letter first.
    pub symbol: String,
    /// Decimals of the money, at most 18.
    pub decimals: u8,
    /// The consensus parameters.
    pub parameters: Parameters,
    /// The validators, 1 to 128, in the order of their numbers.
    pub validators: Vec<Validator>,
    /// The first accounts with their balances in base units, in the order of their numbers.
    pub accounts: Vec<(Address, Amount)>,
}

impl GenesisBuilder {
    /// The start of a local network's genesis: prefix `rlgt`, symbol `LGT` with 2 decimals, the
    /// default parameters; no validators and no accounts yet.
    pub fn local(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            prefix: "rlgt".to_owned(),
            symbol: "LGT".to_owned(),
            decimals: 2,
            parameters: Parameters::default(),
            validators: Vec::new(),
            accounts: Vec::new(),
        }
    }

    /// Checks the parts exactly as those of a document.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, without lines.
    pub fn build(self) -> Result<Genesis, GenesisErrors> {
        let mut problems = Problems::default();
        let denomination = Denomination::new(&self.symbol, self.decimals);
        let draft = Draft {
            name: Some(At::nowhere(self.name)),
            prefix: Some(At::nowhere(self.prefix)),
            denomination: problems.note(None, denomination),
            parameters: self.parameters.values().map(|value| Some(At::nowhere(u64::from(value)))),
            validators: Some(self.validators.into_iter().map(validator).collect()),
            accounts: Some(self.accounts.into_iter().map(account).collect()),
        };
        check::check(draft, problems)
    }
}

fn validator(validator: Validator) -> DraftValidator {
    DraftValidator {
        name: Some(At::nowhere(validator.name)),
        key: Some(At::nowhere(validator.key)),
        peer_id: Some(At::nowhere(validator.peer_id)),
    }
}

fn account((address, balance): (Address, Amount)) -> DraftAccount {
    DraftAccount { address: Some(At::nowhere(address)), balance: Some(At::nowhere(balance)) }
}
