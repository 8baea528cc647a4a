//! Sources of which is known what they gave.

use super::*;

fn copy(held: &Held) -> Held {
    Held::within(&Arc::default(), held.to_vec())
}

proptest! {
    /// A run that knows some sources already delivers what one that knows none does, and does not
    /// open them.
    #[test]
    fn what_is_known_is_not_opened_and_counts_as_if_it_were(
        texts in prop::collection::vec(("[ab\n]{0,12}!?[ab\n]{0,30}", any::<bool>()), 0..12),
        threads in 1usize..5,
        kept_order: bool,
        window_is_full: bool,
        total: bool,
        per_source: bool,
    ) {
        let order = if kept_order { Order::Kept } else { Order::Any };
        let echo = Echo::new(Scope::Chunk, order);
        let only = (window_is_full && !texts.is_empty()).then_some(texts.len() / 2);
        let (texts, is_known): (Vec<String>, Vec<bool>) = texts.into_iter().unzip();
        let mut case = case(&texts, threads, 7);
        case.settings.show = Show { per_source, total, failures: true };
        let before = run_case(&case, &echo, None);
        let before: Vec<_> =
            before.sources.into_inner().into_iter().map(Option::unwrap).collect();
        let known = |index: usize| {
            let done = before.get(index).filter(|done| is_known[index] && done.result.is_ok())?;
            let result = done.result.as_ref().ok()?.as_ref().map(copy);
            Some(Recalled { bytes: done.bytes, result, state: done.state.as_ref().map(copy) })
        };
        for index in 0..texts.len() {
            if known(index).is_some() {
                std::fs::remove_file(case.sources[index].path.to_path()).unwrap();
            }
        }
        let after = run_knowing(&case, &echo, only, Some(&known));
        let comparable = |bytes: Vec<u8>| if kept_order { bytes } else { sorted(bytes) };
        let after_sources = after.sources.into_inner();
        for (index, (done, again)) in before.iter().zip(after_sources).enumerate() {
            let again = again.expect("every source is delivered");
            let origin = known(index).map_or(Origin::Processed, |_| Origin::Recalled);
            prop_assert_eq!(again.origin, origin);
            prop_assert_eq!(again.bytes, done.bytes);
            let result = |done: &Done| {
                let comparable = |held: &Held| comparable(held.to_vec());
                let result = done.result.as_ref().map(|result| result.as_ref().map(comparable));
                result.map_err(|failure| failure.message.clone())
            };
            prop_assert_eq!(result(&again), result(done));
        }
        let whole = texts.iter().filter(|text| !text.contains('!')).flat_map(|text| text.bytes());
        let expected = total.then(|| comparable(whole.collect()));
        let found = after.total.into_inner().map(|total| comparable(total.unwrap().to_vec()));
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn what_is_known_without_what_is_wanted_is_opened() {
    let texts = ["a\n", "b\n"].map(String::from);
    let case = case(&texts, 1, 16);
    let held = || Some(Held::within(&Arc::default(), b"x".to_vec()));
    let halves = [(held(), None), (None, held())];
    for (result, state) in halves {
        let known = |_| {
            let [result, state] = [&result, &state].map(|held| held.as_ref().map(copy));
            Some(Recalled { bytes: 1, result, state })
        };
        let echo = Echo::new(Scope::Chunk, Order::Kept);
        let kept = run_knowing(&case, &echo, None, Some(&known));
        assert_eq!(kept.total_bytes(), b"a\nb\n");
    }
}
