//! Published vectors of BIP-39 and SLIP-0010, and the accounts that the documentation shows.

use super::*;
use crate::hex::format as hex;
use crate::vectors::bytes;

const JUNK: &str = "test test test test test test test test test test test junk";

#[test]
fn the_documented_words_give_the_documented_accounts() {
    let words = Words::parse(JUNK).unwrap();

    assert_eq!(
        hex(words.account(0).seed().as_slice()),
        "1875161e6a138655a911cb5a4288e9e69b49af2ce62e0621359a1ec271136e58"
    );
    assert_eq!(
        words.account(0).public_key().to_string(),
        "1bf802a110a26faf784a4bd51d867baac24bf832ebd724bf40cc129fd848018c"
    );
    assert_eq!(
        words.account(1).public_key().to_string(),
        "4523bc9a386c6d4050931de06651f316370ebbfbd1bed3b579473c7cefbadabf"
    );
}

#[test]
fn entropy_gives_the_words_and_the_seed_of_bip_39() {
    let words = Words::from_entropy(&[0; 16]);

    assert_eq!(words.as_str(), format!("{}about", "abandon ".repeat(11)));
    assert_eq!(
        hex(words.seed.as_slice()),
        "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1\
         9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4"
    );
}

#[test]
fn paths_give_the_nodes_of_slip_0010() {
    // Path, chain code, secret, public key of the two Ed25519 vectors.
    let first = "000102030405060708090a0b0c0d0e0f";
    let second = "fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a2\
                  9f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542";
    let vectors: [(&str, &[u32], &str, &str, &str); 8] = [
        (
            first,
            &[],
            "90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb",
            "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
            "a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed",
        ),
        (
            first,
            &[0],
            "8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69",
            "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
            "8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c",
        ),
        (
            first,
            &[0, 1],
            "a320425f77d1b5c2505a6b1b27382b37368ee640e3557c315416801243552f14",
            "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
            "1932a5270f335bed617d5b935c80aedb1a35bd9fc1e31acafd5372c30f5c1187",
        ),
        (
            first,
            &[0, 1, 2],
            "2e69929e00b5ab250f49c3fb1c12f252de4fed2c1db88387094a0f8c4c9ccd6c",
            "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9",
            "ae98736566d30ed0e9d2f4486a64bc95740d89c7db33f52121f8ea8f76ff0fc1",
        ),
        (
            first,
            &[0, 1, 2, 2],
            "8f6d87f93d750e0efccda017d662a1b31a266e4a6f5993b15f5c1f07f74dd5cc",
            "30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662",
            "8abae2d66361c879b900d204ad2cc4984fa2aa344dd7ddc46007329ac76c429c",
        ),
        (
            first,
            &[0, 1, 2, 2, 1_000_000_000],
            "68789923a0cac2cd5a29172a475fe9e0fb14cd6adb5ad98a3fa70333e7afa230",
            "8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
            "3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a",
        ),
        (
            second,
            &[],
            "ef70a74db9c3a5af931b5fe73ed8e1a53464133654fd55e7a66f8570b8e33c3b",
            "171cb88b1b3c1db25add599712e36245d75bc65a1a5c9e18d76f9f2b1eab4012",
            "8fe9693f8fa62a4305a140b9764c5ee01e455963744fe18204b4fb948249308a",
        ),
        (
            second,
            &[0],
            "0b78a3226f915c082bf118f83618a618ab6dec793752624cbeb622acb562862d",
            "1559eb2bbec5790b0c65d8693e4d0875b1747f4970ae8b650486ed7470845635",
            "86fab68dcb57aa196c77c5f264f215a112c22a912c10d123b0d03c3c28ef1037",
        ),
    ];

    for (seed, path, chain_code, secret, public) in vectors {
        let node = derive(&bytes(seed), path);

        assert_eq!(hex(node.chain_code.as_slice()), chain_code, "{path:?}");
        assert_eq!(hex(node.secret.as_slice()), secret, "{path:?}");
        let key = SecretKey::from_seed(*node.secret).public_key();
        assert_eq!(key.to_string(), public, "{path:?}");
    }
}

#[test]
fn words_read_in_either_case_with_any_space() {
    let shouted = format!("\n  {}\t\n", JUNK.to_uppercase().replace(' ', "  \t"));

    let words = Words::parse(&shouted).unwrap();

    assert_eq!(words.as_str(), JUNK);
    assert_eq!(words.account(0).public_key(), Words::parse(JUNK).unwrap().account(0).public_key());
}

#[test]
fn twenty_four_words_read_too() {
    let text = format!("{}art", "abandon ".repeat(23));
    assert_eq!(Words::parse(&text).unwrap().as_str(), text);
}

#[test]
fn a_word_outside_the_list_is_named() {
    let refused = Words::parse(&JUNK.replacen("test junk", "tset junk", 1)).unwrap_err();

    assert_eq!(refused, WordsError::Unknown { position: 11, word: "tset".to_owned() });
    assert_eq!(refused.to_string(), "word 11, \"tset\", is not in the list of words");
}

#[test]
fn words_that_do_not_fit_together_are_refused() {
    let refused = Words::parse(&JUNK.replacen("test", "junk", 1)).unwrap_err();
    assert_eq!(refused, WordsError::Checksum);
}

#[test]
fn a_wrong_number_of_words_is_refused() {
    let refused = |text: &str| Words::parse(text).unwrap_err();

    assert_eq!(refused(""), WordsError::Count { found: 0 });
    assert_eq!(refused("test junk"), WordsError::Count { found: 2 });
    assert_eq!(refused(&format!("{JUNK} junk")), WordsError::Count { found: 13 });
    assert_eq!(refused(&"abandon ".repeat(1_000)), WordsError::Count { found: 1_000 });
}

#[test]
fn words_are_not_shown_by_debug() {
    assert_eq!(format!("{:?}", Words::parse(JUNK).unwrap()), "Words(hidden)");
}

#[test]
fn the_highest_account_has_a_key_of_its_own() {
    let words = Words::parse(JUNK).unwrap();
    assert_ne!(words.account(ACCOUNT_MAX).public_key(), words.account(0).public_key());
}

#[test]
#[should_panic(expected = "above the highest account number")]
fn an_account_above_the_highest_is_a_mistake_of_the_caller() {
    Words::parse(JUNK).unwrap().account(ACCOUNT_MAX + 1);
}
