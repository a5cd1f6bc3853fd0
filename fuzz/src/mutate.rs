//! Changes JSON as JSON: most changes of its bytes would only make it unreadable.

use e2e_tests::laws::Tree;

use crate::draw::{Pick, Random};
use crate::pool::{self, ODD, PIECES, SPACES};
use crate::tree::{self, count, nth, plain, quoted};

/// Changes the JSON in a buffer, in which it may get as long as `most`. `None`: it is no JSON, or its bytes are to be
/// changed this time.
pub fn json(data: &mut [u8], size: usize, most: usize, seed: u32) -> Option<usize> {
    let mut random = Random::new(seed);
    if random.once_in(8) {
        return None;
    }
    let mut tree = tree::parse(std::str::from_utf8(data.get(..size)?).ok()?)?;
    for _ in 0..=random.below(3) {
        change(&mut tree, &mut random);
    }
    let text = if random.once_in(8) { tree::spaced(&tree, random.one(&SPACES)) } else { tree.to_string() };
    (text.len() <= most).then(|| data.get_mut(..text.len()).map(|data| data.copy_from_slice(text.as_bytes())))??;
    Some(text.len())
}

/// One change somewhere.
pub fn change(tree: &mut Tree, pick: &mut impl Pick) {
    let count = count(tree);
    let donor = nth(tree, pick.below(count)).clone();
    let node = nth(tree, pick.below(count));
    match (pick.below(9), node) {
        (0, node) => *node = Tree::parse(pick.one(&ODD)),
        // Copies of copies would grow without end.
        (1, node) if donor.to_string().len() < 2_000 => *node = donor,
        (2, node) => *node = tree::text(pick.one(pool::words())),
        (_, Tree::Object(pairs)) => {
            let (at, other) = (pick.below(pairs.len()), pick.below(pairs.len()));
            match pick.below(6) {
                0 | 1 => pairs.push((quoted(pick.one(pool::keys())), donor)),
                2 => pairs.push((quoted(pick.one(pool::words())), Tree::parse(pick.one(&ODD)))),
                _ if pairs.is_empty() => {}
                3 => drop(pairs.remove(at)),
                4 => pairs.swap(at, other),
                _ => pairs[at].0 = quoted(pick.one(pool::keys())),
            }
        }
        (_, Tree::List(items)) => {
            let (at, other) = (pick.below(items.len()), pick.below(items.len()));
            match pick.below(5) {
                0 => items.push(donor),
                _ if items.is_empty() => items.push(tree::text(pick.one(pool::words()))),
                1 => drop(items.remove(at)),
                2 => items.swap(at, other),
                _ => items.insert(at, items[other].clone()),
            }
        }
        (_, Tree::Scalar(scalar)) => *scalar = spelled(scalar, pick),
    }
}

/// A scalar, with something else in it or spelled in another way.
fn spelled(scalar: &str, pick: &mut impl Pick) -> String {
    let Some(text) = plain(scalar) else {
        return pick.one(&ODD).to_owned();
    };
    let at = text.char_indices().map(|(at, _)| at).nth(pick.below(text.chars().count())).unwrap_or_default();
    let (head, tail) = text.split_at(at);
    match pick.below(6) {
        0 => quoted(&format!("{head}{}{tail}", pick.one(&PIECES))),
        1 => quoted(head),
        2 => quoted(&format!("{text},{}", pick.one(pool::words()))),
        3 => quoted(&text.to_uppercase()),
        4 => quoted(&text.repeat(1 + pick.below(3))),
        _ => text.encode_utf16().fold("\"".to_owned(), |spelled, unit| format!("{spelled}\\u{unit:04x}")) + "\"",
    }
}
