//! Where a server's time goes: what `perf script` prints, as a picture.
//!
//! Each box is a function; its width is the share of samples in which it was on the stack, and what it called stands on it. Names that do
//! not fit are shown when the pointer rests on the box.

use std::collections::BTreeMap;
use std::fmt::Write as _;

const WIDTH: f64 = 1600.0;
const ROW: f64 = 17.0;
/// Of a letter, about.
const LETTER: f64 = 6.6;
/// Narrower boxes are left out.
const NARROWEST: f64 = 0.4;

/// A function, with all it called.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    samples: u32,
    called: BTreeMap<String, Frame>,
}

impl Frame {
    /// Adds up the stacks that `perf script -F comm,ip,sym` printed: the thread's name, then its frames from the innermost on, then an
    /// empty line.
    pub(crate) fn read(script: &str) -> Self {
        let mut root = Self::default();
        for stack in script.split("\n\n") {
            let mut lines = stack.lines().filter(|line| !line.trim().is_empty());
            let Some(thread) = lines.next() else { continue };
            let mut frames: Vec<&str> = lines.map(symbol).collect();
            frames.push(thread.trim());
            let mut at = &mut root;
            at.samples += 1;
            for name in frames.into_iter().rev() {
                at = at.called.entry(name.to_owned()).or_default();
                at.samples += 1;
            }
        }
        root
    }

    /// How many samples there are.
    pub(crate) fn samples(&self) -> u32 {
        self.samples
    }

    /// The picture, with `title` above it.
    pub(crate) fn svg(&self, title: &str) -> String {
        let depth = self.depth();
        let height = ROW * (f64::from(depth) + 2.0);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"monospace\" font-size=\"11\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"4\" y=\"13\">{}, {} samples</text>\n",
            escaped(title),
            self.samples
        );
        let scale = WIDTH / f64::from(self.samples.max(1));
        self.boxes(&mut svg, 0.0, height - ROW, scale);
        svg.push_str("</svg>\n");
        svg
    }

    fn boxes(&self, svg: &mut String, left: f64, bottom: f64, scale: f64) {
        let mut x = left;
        for (name, frame) in &self.called {
            let width = f64::from(frame.samples) * scale;
            if width >= NARROWEST {
                let share = width * 100.0 / WIDTH;
                let y = bottom - ROW;
                let _ = writeln!(
                    svg,
                    "<g><title>{0} ({share:.1} %)</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{1:.1}\" \
                     fill=\"{2}\" stroke=\"#fff\" stroke-width=\"0.4\"/>{3}</g>",
                    escaped(name),
                    ROW - 1.0,
                    colour(name),
                    label(name, x, bottom - 5.0, width)
                );
                frame.boxes(svg, x, y, scale);
            }
            x += width;
        }
    }

    fn depth(&self) -> u32 {
        self.called
            .values()
            .map(Self::depth)
            .max()
            .map_or(0, |deepest| deepest + 1)
    }
}

/// The name in a line such as `  7f12ab core::fmt::write+0x1f`.
fn symbol(line: &str) -> &str {
    let name = line
        .trim()
        .split_once(' ')
        .map_or("[unknown]", |(_, name)| name);
    name.rsplit_once("+0x").map_or(name, |(name, _)| name)
}

fn label(name: &str, x: f64, y: f64, width: f64) -> String {
    let letters = name.chars().take_while({
        let mut room = width - 6.0;
        move |_| {
            room -= LETTER;
            room > 0.0
        }
    });
    let shown: String = letters.collect();
    if shown.chars().count() < 3 {
        return String::new();
    }
    format!(
        "<text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
        x + 3.0,
        escaped(&shown)
    )
}

/// The same name has the same colour everywhere; ours are warm, the kernel's and others' are pale.
fn colour(name: &str) -> String {
    let hash = name.bytes().fold(0_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    let hue = if name.contains("longshore") {
        10 + hash % 25
    } else {
        45 + hash % 20
    };
    format!("hsl({hue}, 85%, {}%)", 62 + hash % 12)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "tokio-rt \n\t ffff1 do_syscall_64\n\t 55a1 longshore::serve<T>+0x12\n\n\
                          tokio-rt \n\t 55a2 longshore::serve<T>+0x40\n\n";

    #[test]
    fn stacks_are_added_up_from_the_outermost_frame_on() {
        let root = Frame::read(SCRIPT);
        let serve = &root.called["tokio-rt"].called["longshore::serve<T>"];
        assert_eq!((root.samples(), serve.samples), (2, 2));
        assert_eq!(serve.called["do_syscall_64"].samples, 1);
    }

    #[test]
    fn a_picture_has_a_box_for_each_function_and_no_tag_of_theirs() {
        let svg = Frame::read(SCRIPT).svg("image-c8");
        assert_eq!(svg.matches("<title>").count(), 3);
        assert!(svg.contains("longshore::serve&lt;T&gt; (100.0 %)"), "{svg}");
        assert!(svg.contains("do_syscall_64 (50.0 %)"), "{svg}");
    }
}
