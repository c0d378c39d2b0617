//! What every [`Registry`] must do, as tests that any crate can run on its own.
//!
//! Write in a test: `longshore_testkit::suite!(async { make_my_registry().await });`. Each case becomes a test of its
//! own, in a module per theme, and gets a registry of its own. The list in [`for_each_case!`](crate::for_each_case) is
//! the only one; a case that is not on it is dead code, which the compiler reports.

pub mod bench;
mod drops;
mod lists;
mod mounts;
mod prune;
mod pull;
mod push;
mod push_rules;
mod races;
mod referrers;
mod uploads;
mod uploads_shared;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use longshore_core::Registry;

/// A registry to be tested, and whatever must live as long as it does.
pub struct Bench {
    registry: Arc<dyn Registry>,
    _keep: Box<dyn Any + Send>,
}

impl Bench {
    /// A registry, and something to be dropped after it: a directory, a server.
    pub fn keeping(registry: Arc<dyn Registry>, keep: impl Any + Send) -> Self {
        Self {
            registry,
            _keep: Box::new(keep),
        }
    }

    /// The registry.
    pub fn registry(&self) -> &dyn Registry {
        &*self.registry
    }
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

impl<R: Registry> From<R> for Bench {
    fn from(registry: R) -> Self {
        Self::keeping(Arc::new(registry), ())
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// One thing that a registry must do.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it is about: the module.
    pub theme: &'static str,
    /// The sentence that must be true.
    pub name: &'static str,
    run: for<'a> fn(&'a dyn Registry) -> Running<'a>,
}

impl Case {
    /// Runs the case on a registry that nobody else uses. Panics when the sentence is not true.
    pub async fn run(&self, registry: &dyn Registry) {
        (self.run)(registry).await;
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.theme, self.name)
    }
}

/// Every case.
pub fn all() -> Vec<Case> {
    macro_rules! list {
        ($($theme:ident { $($name:ident)* })*) => {
            vec![$($(Case {
                theme: stringify!($theme),
                name: stringify!($name),
                run: |registry| Box::pin($theme::$name(registry)),
            },)*)*]
        };
    }
    crate::for_each_case! { [list] }
}

/// Runs one case on a registry made for it, on a runtime of its own. This is what the tests of [`crate::suite!`] call.
///
/// # Panics
/// When the case fails, or there is none of this theme and name.
pub fn run<B: Into<Bench>>(theme: &str, name: &str, make: impl Future<Output = B>) {
    let found = all()
        .into_iter()
        .find(|case| case.theme == theme && case.name == name);
    let case = found.unwrap_or_else(|| panic!("there is no case {theme}::{name}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let bench: Bench = make.await.into();
        case.run(bench.registry()).await;
    });
}

/// Runs the whole suite on the registries that an expression makes: `suite!(async { Mem::new() })`.
///
/// The expression is evaluated once per case, to a future of anything that turns into a [`Bench`].
#[macro_export]
macro_rules! suite {
    ($make:expr) => {
        $crate::for_each_case! { [$crate::suite_tests] ($make) }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! suite_tests {
    (($make:expr) $($theme:ident { $($name:ident)* })*) => {
        $(mod $theme {
            #[allow(unused_imports, reason = "the expression may need what stands around the macro, or not")]
            use super::*;
            $(#[test]
            fn $name() {
                $crate::suite::run(stringify!($theme), stringify!($name), $make);
            })*
        })*
    };
}

/// Gives the list of cases, theme by theme, to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_case {
    ([$($then:tt)*] $($first:tt)*) => {
        $($then)*! {
            $($first)*
            pull {
                a_blob_comes_back_byte_for_byte
                a_blob_of_no_bytes_comes_back_empty
                a_range_has_its_bytes_and_says_which
                a_range_past_the_end_is_cut_at_the_end
                a_range_that_holds_no_byte_is_refused_with_the_size
                a_blob_that_was_never_pushed_is_unknown
                a_blob_of_another_repository_is_unknown
                a_repository_nobody_pushed_to_is_unknown
                a_blob_is_located_only_where_it_is
                a_manifest_comes_back_as_it_was_pushed
                a_manifest_is_found_by_its_tag
                a_manifest_that_was_never_pushed_is_unknown
                a_manifest_of_another_repository_is_unknown
                a_manifest_is_no_blob_and_a_blob_no_manifest
                what_was_pushed_as_sha512_answers_as_sha512
                a_tag_of_a_sha512_push_answers_with_the_sha512_digest
            }
            push {
                a_blob_of_the_wrong_digest_is_refused_and_not_kept
                a_blob_of_the_wrong_length_is_refused_and_not_kept
                a_blob_that_breaks_off_is_not_kept
                a_blob_in_drops_is_kept_whole
                a_blob_can_be_pushed_twice
                a_manifest_of_the_wrong_digest_is_refused_and_not_kept
                a_manifest_can_be_pushed_twice
                bytes_that_are_no_manifest_are_refused
                a_manifest_that_is_image_and_index_at_once_is_refused
                a_manifest_that_contradicts_its_content_type_is_refused
                a_manifest_without_content_type_says_itself_what_it_is
                parameters_of_the_content_type_are_not_kept
                spaces_and_unknown_fields_are_kept
                a_large_manifest_is_kept_whole
                an_image_without_layers_is_kept
                an_index_without_manifests_is_kept
                an_index_of_indexes_is_kept
                an_artifact_of_a_type_nobody_knows_is_kept
                data_in_a_descriptor_is_kept
            }
            push_rules {
                a_missing_layer_is_refused_and_nothing_is_kept
                a_layer_of_another_repository_is_missing
                a_missing_config_is_refused
                a_missing_child_is_refused_unless_that_is_allowed
                a_missing_layer_is_accepted_where_anything_may_be_absent
                a_manifest_before_its_blobs_stands_in_nobodys_way
                a_layer_of_another_length_is_refused
                a_layer_that_is_not_distributed_need_not_be_here
                a_subject_need_not_be_here
                the_answer_names_the_subject
                a_tag_moves
                several_tags_are_set_at_once
                a_tag_that_may_only_be_created_does_not_move
                a_tag_that_must_point_somewhere_moves_from_there_only
                a_tag_that_does_not_exist_does_not_point_where_it_must
                one_tag_against_the_rule_keeps_everything_away
            }
            uploads {
                chunks_become_a_blob
                a_stream_becomes_a_blob
                everything_may_come_with_the_last_request
                an_upload_of_nothing_becomes_the_empty_blob
                an_upload_may_be_of_an_algorithm_it_did_not_announce
                stat_tells_how_far_it_is
                a_chunk_out_of_order_is_refused_with_the_true_offset
                a_chunk_sent_twice_is_refused_with_the_true_offset
                a_last_chunk_out_of_order_is_refused_and_the_upload_goes_on
                a_chunk_of_the_wrong_length_is_refused_and_the_upload_goes_on
                a_chunk_that_breaks_off_leaves_an_upload_that_goes_on
                the_wrong_digest_ends_the_upload_and_keeps_no_blob
                an_aborted_upload_is_gone
            }
            uploads_shared {
                an_upload_nobody_started_is_unknown
                an_upload_is_unknown_in_another_repository
                an_upload_is_unknown_to_anybody_else
                each_upload_has_an_id_of_its_own
                an_upload_shows_nothing_before_its_end
                two_uploads_do_not_mix
                of_two_writers_one_is_refused_and_nothing_is_mixed
                a_finished_upload_answers_again_for_an_hour
                a_finished_upload_is_over_for_everything_else
            }
            lists {
                a_repository_nobody_pushed_to_has_no_list_of_tags
                a_repository_with_blobs_alone_has_no_tags
                tags_are_listed_in_the_order_of_their_bytes
                windows_of_tags_join_to_the_whole_list
                a_window_may_start_after_a_tag_that_does_not_exist
                a_window_after_the_last_tag_is_empty
                repositories_are_listed_in_the_order_of_their_bytes
                windows_of_repositories_join_to_the_whole_list
                a_repository_without_manifests_is_not_listed
                a_repository_the_caller_may_not_pull_is_not_listed
            }
            referrers {
                a_repository_nobody_pushed_to_has_no_referrers
                a_subject_nobody_points_to_has_no_referrers
                a_referrer_is_listed_with_all_that_is_told_about_it
                a_referrer_without_artifact_type_is_of_the_type_of_its_config
                an_index_can_be_a_referrer
                the_subject_may_come_after_its_referrers
                referrers_are_filtered_by_type
                windows_of_referrers_join_to_the_whole_list
                a_deleted_referrer_is_not_listed
                referrers_stay_in_their_repository
                referrers_outlive_their_subject
            }
            mounts {
                a_mounted_blob_is_there
                a_mount_of_what_is_not_there_is_no_error_and_no_blob
                a_mount_from_nowhere_is_no_error_and_no_blob
                a_blob_is_found_without_being_told_where
                a_blob_is_not_found_where_the_caller_may_not_pull
                a_blob_can_be_mounted_from_its_own_repository
                a_mounted_blob_outlives_its_source
                a_mounted_blob_can_be_a_layer
                a_mount_can_be_undone_and_done_again
            }
            prune {
                a_deleted_blob_is_gone_at_once
                a_blob_that_a_manifest_needs_stays
                a_blob_that_a_manifest_misses_is_unknown
                a_blob_can_go_when_its_manifest_is_gone
                a_blob_goes_from_one_repository_only
                a_deleted_blob_can_be_pushed_again
                a_deleted_manifest_is_gone_with_its_tags
                a_manifest_that_an_index_lists_stays
                a_manifest_that_an_index_lists_goes_when_that_does_not_matter
                a_manifest_goes_after_its_index
                a_deleted_tag_leaves_its_manifest
                deleting_what_is_not_there_says_so
                deleting_twice_says_so
            }
            races {
                of_many_deletes_of_one_tag_one_succeeds
                many_pushes_of_one_blob_all_succeed
                many_pushes_of_one_tag_end_with_one_of_them
                of_many_creations_of_one_tag_one_succeeds
                of_many_moves_from_one_place_one_succeeds
                a_manifest_is_never_left_without_a_blob_that_is_deleted_meanwhile
                an_index_is_never_left_without_a_manifest_that_is_deleted_meanwhile
                a_tag_is_seen_whole_while_it_moves
            }
            drops {
                a_dropped_push_of_a_blob_shows_nothing
                a_dropped_chunk_leaves_an_upload_that_goes_on
                a_dropped_end_leaves_a_blob_or_an_upload_that_goes_on
                a_dropped_push_of_a_manifest_is_whole_or_absent
                a_dropped_delete_is_whole_or_absent
                a_dropped_download_harms_nobody
            }
        }
    };
}
