//! Draws the results of `compare` and the other programs that write some: an SVG of each, and all
//! figures as tables.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin charts [directory]`

use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use socketioxide_jwt_auth_benches::{Comparison, Result, Role, Row, results_directory};

const WIDTH: u32 = 860;
const TOP: i32 = 84;
const BOTTOM: i32 = 64;
const ROW: i32 = 32;
const GROUP: i32 = 30;
const BAR: i32 = 20;

/// Where the bars begin, and where the longest ends.
const LEFT: i32 = 220;
const RIGHT: i32 = 660;

const TEXT: RGBColor = RGBColor(31, 35, 40);
const FAINT: RGBColor = RGBColor(89, 99, 110);
const GRID: RGBColor = RGBColor(225, 228, 232);

fn main() -> Result<()> {
    let results = results_directory();
    let charts = env::args().nth(1).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("charts"),
        PathBuf::from,
    );

    let entries = fs::read_dir(results)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<_> = entries.collect::<Result<_, _>>()?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "json")
    });
    files.sort();

    fs::create_dir_all(&charts)?;
    let mut tables =
        String::from("# Figures\n\nWritten by `charts`; see [the benchmarks](../README.md).\n");
    for file in files {
        let comparison = Comparison::read(&file)?;
        let name = file.file_stem().ok_or("a file has a name")?;
        draw(&comparison, &charts.join(name).with_extension("svg"))?;
        write_table(&mut tables, &comparison)?;
    }
    fs::write(charts.join("figures.md"), tables)?;
    Ok(())
}

fn draw(comparison: &Comparison, file: &Path) -> Result<()> {
    let rows = &comparison.rows;
    let starts_group = |index: usize| index == 0 || rows[index].group != rows[index - 1].group;
    let groups = (0..rows.len()).filter(|index| starts_group(*index)).count();
    let bottom = TOP + ROW * i32::try_from(rows.len())? + GROUP * i32::try_from(groups)?;

    let height = u32::try_from(bottom + BOTTOM)?;
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    // Without a background, dark text would be on the dark page of a reader.
    root.fill(&WHITE)?;
    let canvas = Canvas { root };
    canvas.text(&comparison.title, (16, 26), 20, TEXT, HPos::Left)?;
    let subtitle = format!(
        "{}, in {}. Lower is better.",
        capitalized(&comparison.measure),
        comparison.unit
    );
    canvas.text(&subtitle, (16, 52), 13, FAINT, HPos::Left)?;

    let longest = rows
        .iter()
        .map(|row| row.quartiles()[2])
        .fold(0.0, f64::max);
    let scale = Scale { longest };
    for tick in scale.ticks() {
        let x = scale.x(tick);
        canvas.line((x, TOP), (x, bottom), GRID, 1)?;
        canvas.text(
            &format!("{tick}"),
            (x, bottom + 12),
            12,
            FAINT,
            HPos::Center,
        )?;
    }

    let mut y = TOP;
    for (index, row) in rows.iter().enumerate() {
        if starts_group(index) {
            canvas.text(&row.group, (16, y + GROUP / 2 + 4), 13, FAINT, HPos::Left)?;
            y += GROUP;
        }
        draw_row(&canvas, &scale, comparison, row, y)?;
        y += ROW;
    }

    let explained = "Bars: medians. Whiskers: quartiles. Ratio: to the first bar of the group, in the same round.";
    canvas.text(explained, (16, bottom + 32), 12, FAINT, HPos::Left)?;
    canvas.text(
        &capitalized(&comparison.conditions),
        (16, bottom + 50),
        12,
        FAINT,
        HPos::Left,
    )?;
    canvas.root.present()?;
    Ok(())
}

fn draw_row(
    canvas: &Canvas<'_>,
    scale: &Scale,
    comparison: &Comparison,
    row: &Row,
    y: i32,
) -> Result<()> {
    let (top, middle) = (y + (ROW - BAR) / 2, y + ROW / 2);
    let [low, median, high] = row.quartiles();
    let color = match row.role {
        Role::Baseline => RGBColor(175, 184, 193),
        Role::Ours => RGBColor(9, 105, 218),
        Role::Other => RGBColor(219, 171, 91),
    };
    canvas.text(&row.name, (LEFT - 10, middle), 14, TEXT, HPos::Right)?;

    let corners = [(LEFT, top), (scale.x(median), top + BAR)];
    canvas.root.draw(&Rectangle::new(corners, color.filled()))?;
    canvas.line((scale.x(low), middle), (scale.x(high), middle), TEXT, 1)?;
    for end in [low, high] {
        canvas.line(
            (scale.x(end), middle - 4),
            (scale.x(end), middle + 4),
            TEXT,
            1,
        )?;
    }

    let mut value = format!("{} {}", rounded(median), comparison.unit);
    let baseline = comparison.baseline(row);
    if row.name != baseline.name {
        write!(value, " · {:.2}×", row.ratios(baseline)[1])?;
    }
    canvas.text(
        &value,
        (scale.x(high.max(median)) + 8, middle),
        14,
        TEXT,
        HPos::Left,
    )
}

/// Values to places.
struct Scale {
    longest: f64,
}

impl Scale {
    #[expect(clippy::cast_possible_truncation, reason = "it is within the picture")]
    fn x(&self, value: f64) -> i32 {
        LEFT + (f64::from(RIGHT - LEFT) * value / self.longest).round() as i32
    }

    /// Round numbers, about five of them.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let magnitude = 10_f64.powf((self.longest / 5.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * magnitude);
        let step = steps
            .into_iter()
            .find(|step| self.longest / step <= 6.0)
            .unwrap_or(steps[3]);
        let longest = self.longest;
        (0..7)
            .map(move |tick| step * f64::from(tick))
            .take_while(move |tick| *tick <= longest)
    }
}

struct Canvas<'a> {
    root: DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
}

impl Canvas<'_> {
    fn text(
        &self,
        text: &str,
        place: (i32, i32),
        size: u32,
        color: RGBColor,
        anchor: HPos,
    ) -> Result<()> {
        let style = (FontFamily::SansSerif, size)
            .into_text_style(&self.root)
            .color(&color)
            .pos(Pos::new(anchor, VPos::Center));
        Ok(self.root.draw_text(text, &style, place)?)
    }

    fn line(&self, from: (i32, i32), to: (i32, i32), color: RGBColor, width: u32) -> Result<()> {
        let path = PathElement::new([from, to], color.stroke_width(width));
        Ok(self.root.draw(&path)?)
    }
}

fn write_table(tables: &mut String, comparison: &Comparison) -> Result<()> {
    let Comparison {
        title,
        measure,
        unit,
        command,
        conditions,
        rows,
    } = comparison;
    write!(
        tables,
        "\n## {title}\n\n{}, in {unit}. `{command}`: {conditions}.\n\n\
         | | | median | quartiles | ratio in its group | quartiles | to the first row |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
        capitalized(measure)
    )?;

    for row in rows {
        let [low, median, high] = row.quartiles().map(rounded);
        let [low_ratio, ratio, high_ratio] = row.ratios(comparison.baseline(row));
        writeln!(
            tables,
            "| {} | {} | {median} | {low} to {high} | {ratio:.2} | {low_ratio:.2} to {high_ratio:.2} | {:.2} |",
            row.group,
            row.name,
            row.ratios(&rows[0])[1]
        )?;
    }
    Ok(())
}

/// Three digits.
fn rounded(value: f64) -> String {
    match value {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}
