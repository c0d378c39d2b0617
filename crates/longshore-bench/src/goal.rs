//! What is to be reached, and whether it was.

use std::fmt;

use crate::line::Figure;
use crate::peer::Program;

/// One comparison of one line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Goal {
    /// As the goals are numbered, such as `G1`.
    pub(crate) name: &'static str,
    pub(crate) figure: Figure,
    pub(crate) against: Against,
    pub(crate) wanted: Wanted,
    pub(crate) floor: Option<Floor>,
}

/// What stood firm after three designs were built and measured, and what is held all the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Floor {
    /// The decision that has the designs and their figures.
    pub(crate) decision: &'static str,
    pub(crate) held: Wanted,
}

/// What Longshore's figure is divided by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Against {
    /// The peer's figure on the same line.
    Peer(Program),
    /// Longshore's own figure on another line.
    Line(String),
    /// One: the figure itself is bounded.
    Nothing,
}

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wanted {
    Least(f64),
    Most(f64),
}

impl Wanted {
    fn holds(self, ratio: f64) -> bool {
        match self {
            Self::Least(bound) => ratio >= bound,
            Self::Most(bound) => ratio <= bound,
        }
    }
}

impl Wanted {
    /// Whether `ratio` is as close to `limit` as is asked of Longshore and nginx.
    fn near(self, ratio: f64, limit: f64) -> bool {
        match self {
            Self::Least(_) => ratio >= 0.9 * limit,
            Self::Most(_) => ratio <= 1.15 * limit,
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Least(bound) => write!(f, ">={bound}"),
            Self::Most(bound) => write!(f, "<={bound}"),
        }
    }
}

/// What came of a goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    Ok(f64),
    Short(f64),
    /// It is not reached, and no server that only sends files reaches it on this machine either: the best of them has `limit`,
    /// and Longshore is close to it.
    Beyond {
        ratio: f64,
        limit: f64,
    },
    /// It is not reached, and a decision says by which designs it was tried; what is held there is.
    Floor {
        ratio: f64,
        floor: Floor,
    },
    /// A figure that it needs is void, because of errors or because it is missing.
    Void,
}

impl Verdict {
    /// Whether `ratio` is what is `wanted`; it is `None` when a figure is void or missing.
    pub(crate) fn of(wanted: Wanted, ratio: Option<f64>) -> Self {
        match ratio.filter(|ratio| ratio.is_finite()) {
            Some(ratio) if wanted.holds(ratio) => Self::Ok(ratio),
            Some(ratio) => Self::Short(ratio),
            None => Self::Void,
        }
    }

    /// How it is printed, with what was `wanted`.
    pub(crate) fn told(self, wanted: Wanted) -> String {
        match self {
            Self::Ok(ratio) => format!("ratio={ratio:.3} wanted={wanted} ok"),
            Self::Short(ratio) => format!("ratio={ratio:.3} wanted={wanted} short"),
            Self::Beyond { ratio, limit } => format!(
                "ratio={ratio:.3} wanted={wanted} short\n  a server that only sends files has {limit:.3}"
            ),
            Self::Floor {
                ratio,
                floor: Floor { decision, held },
            } => format!(
                "ratio={ratio:.3} wanted={wanted} short\n  decision {decision} has the designs that were tried; {held} is held"
            ),
            Self::Void => format!("ratio=void wanted={wanted} short"),
        }
    }

    pub(crate) fn is_ok(self) -> bool {
        matches!(self, Self::Ok(_))
    }

    /// Whether nothing is left to be done about it.
    pub(crate) fn is_settled(self) -> bool {
        matches!(self, Self::Ok(_) | Self::Beyond { .. } | Self::Floor { .. })
    }

    /// The same where a floor was found: what is short and holds it is settled.
    pub(crate) fn above(self, floor: Option<Floor>) -> Self {
        match (self, floor) {
            (Self::Short(ratio), Some(floor)) if floor.held.holds(ratio) => {
                Self::Floor { ratio, floor }
            }
            (verdict, _) => verdict,
        }
    }

    /// The same with what the best of the servers that only send files has, in the place of Longshore.
    pub(crate) fn within(self, wanted: Wanted, limit: Option<f64>) -> Self {
        match (self, limit) {
            (Self::Short(ratio), Some(limit))
                if !wanted.holds(limit) && wanted.near(ratio, limit) =>
            {
                Self::Beyond { ratio, limit }
            }
            (verdict, _) => verdict,
        }
    }
}

/// A goal with its verdict, as it is printed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub(crate) line: String,
    pub(crate) goal: Goal,
    pub(crate) verdict: Verdict,
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Goal {
            name,
            figure,
            against,
            wanted,
            ..
        } = &self.goal;
        write!(f, "goal {name}/{}/{figure}", self.line)?;
        match against {
            Against::Peer(program) => write!(f, "/{program}")?,
            Against::Line(line) => write!(f, "/{line}")?,
            Against::Nothing => {}
        }
        write!(f, " {}", self.verdict.told(*wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_reached_at_its_bound_and_short_below() {
        let least = Wanted::Least(0.9);
        assert_eq!(Verdict::of(least, Some(0.9)), Verdict::Ok(0.9));
        assert_eq!(Verdict::of(least, Some(0.8)), Verdict::Short(0.8));
        assert_eq!(
            Verdict::of(Wanted::Most(25.0), Some(30.0)),
            Verdict::Short(30.0)
        );
    }

    #[test]
    fn what_nobody_reaches_is_settled_for_whoever_is_close() {
        let least = Wanted::Least(3.0);
        let short = Verdict::Short(2.3);
        let (ratio, limit) = (2.3, 2.5);
        assert_eq!(
            short.within(least, Some(limit)),
            Verdict::Beyond { ratio, limit }
        );
        assert_eq!(short.within(least, Some(3.1)), short, "others reach it");
        assert_eq!(
            short.within(least, Some(2.8)),
            short,
            "and so far is not close"
        );
        assert_eq!(short.within(least, None), short);
        let most = Wanted::Most(0.35);
        assert!(Verdict::Short(0.5).within(most, Some(0.45)).is_settled());
        assert!(!Verdict::Short(0.5).within(most, Some(0.3)).is_settled());
        assert!(!Verdict::Short(0.5).within(most, Some(0.4)).is_settled());
        assert!(!Verdict::Void.within(most, Some(0.4)).is_settled());
        assert_eq!(Verdict::Ok(4.0).within(least, Some(2.0)), Verdict::Ok(4.0));
    }

    #[test]
    fn what_stood_firm_is_settled_as_long_as_it_is_held() {
        let floor = Floor {
            decision: "0029",
            held: Wanted::Least(0.2),
        };
        let verdict = |ratio| Verdict::of(Wanted::Least(1.0), ratio).above(Some(floor));
        assert_eq!(verdict(Some(1.1)), Verdict::Ok(1.1));
        assert!(verdict(Some(0.25)).is_settled() && !verdict(Some(0.25)).is_ok());
        assert!(
            verdict(Some(0.25))
                .told(Wanted::Least(1.0))
                .contains("short")
        );
        assert_eq!(verdict(Some(0.19)), Verdict::Short(0.19));
        assert_eq!(verdict(None), Verdict::Void);
    }

    #[test]
    fn what_had_errors_reaches_nothing() {
        for ratio in [None, Some(f64::INFINITY), Some(f64::NAN)] {
            let verdict = Verdict::of(Wanted::Least(0.0), ratio);
            assert_eq!(verdict, Verdict::Void);
            assert!(!verdict.is_ok());
        }
    }

    #[test]
    fn a_judged_goal_is_one_line_that_ends_in_its_verdict() {
        let goal = Goal {
            name: "G1",
            figure: Figure::Rate,
            against: Against::Peer(Program::Nginx),
            wanted: Wanted::Least(0.9),
            floor: None,
        };
        let mut judged = Judged {
            line: "pull-1g-c8".to_owned(),
            goal,
            verdict: Verdict::Ok(0.95),
        };
        assert_eq!(
            judged.to_string(),
            "goal G1/pull-1g-c8/rate/nginx ratio=0.950 wanted=>=0.9 ok"
        );
        judged.verdict = Verdict::Void;
        assert_eq!(
            judged.to_string(),
            "goal G1/pull-1g-c8/rate/nginx ratio=void wanted=>=0.9 short"
        );
    }
}
