//! Draws curves beside each other, as an SVG document for light and dark pages.

use plotters::coord::Shift;
use plotters::prelude::*;

/// A curve's name, colour and points.
#[derive(Debug, Clone)]
pub struct Line {
    /// What the legend calls it.
    pub name: &'static str,
    /// Its colour.
    pub colour: RGBColor,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

/// One of the charts.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What is counted to the right.
    pub x: String,
    /// What is counted upwards.
    pub y: &'static str,
    /// Its curves.
    pub lines: Vec<Line>,
}

/// For what is compared.
pub const BLUE: RGBColor = RGBColor(0x1f, 0x6f, 0xeb);
/// For the floor.
pub const GREEN: RGBColor = RGBColor(0x2d, 0xa4, 0x4e);
/// For the other way to do the same.
pub const ORANGE: RGBColor = RGBColor(0xdb, 0x61, 0x17);
/// For what is drawn to compare with.
pub const GREY: RGBColor = RGBColor(0x9a, 0xa0, 0xa6);

const GROUND: RGBColor = RGBColor(0xff, 0xff, 0xff);
const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
const GRID: RGBColor = RGBColor(0xe4, 0xe8, 0xec);

/// On dark pages the colours of ground, ink and grid are others.
const DARK: &str = r##"<style>
@media (prefers-color-scheme: dark) {
  [fill="#FFFFFF"] { fill: #0d1117 }
  [fill="#1F2328"] { fill: #e6edf3 }
  [stroke="#1F2328"] { stroke: #8b949e }
  [stroke="#E4E8EC"] { stroke: #30363d }
}
</style>
"##;

const SIZE: (u32, u32) = (960, 640);
const FONT: &str = "system-ui, sans-serif";

/// Draws the panels, two in a row; the legend is that of the first.
///
/// # Errors
/// When a panel has no points.
pub fn draw(title: &str, panels: &[Panel]) -> Result<String, String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let fail = |error: &dyn std::fmt::Display| format!("the chart can't be drawn: {error}");
        root.fill(&GROUND).map_err(|error| fail(&error))?;
        let areas = root.split_evenly((panels.len().div_ceil(2), 2));
        for (index, (area, panel)) in areas.iter().zip(panels).enumerate() {
            draw_panel(area, panel, index == 0).map_err(|error| fail(&error))?;
        }
        root.present().map_err(|error| fail(&error))?;
    }
    let (head, body) = svg.split_once('\n').ok_or("the chart is empty")?;
    let head = head.replacen("<svg ", r#"<svg role="img" "#, 1);
    Ok(format!("{head}\n<title>{title}</title>\n{DARK}{body}"))
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw_panel(area: &DrawingArea<SVGBackend<'_>, Shift>, panel: &Panel, legend: bool) -> Drawn {
    let points = || panel.lines.iter().flat_map(|line| &line.points);
    let right = points().map(|(x, _)| *x).fold(0.0, f64::max);
    let top = points().map(|(_, y)| *y).fold(0.0, f64::max) * 1.05;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..right, 0.0..top)?;
    let text = |size: i32| (FONT, size).into_font().color(&INK);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .x_labels(6)
        .y_labels(6)
        .x_desc(&panel.x)
        .y_desc(panel.y)
        .axis_desc_style(text(13))
        .label_style(text(12))
        .x_label_formatter(&|number| short(*number))
        .y_label_formatter(&|number| short(*number))
        .draw()?;
    for line in &panel.lines {
        let style = line.colour.stroke_width(2);
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), style))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        if line.points.len() > 2 {
            chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 2, line.colour.filled())))?;
        }
    }
    if legend {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(text(12))
            .background_style(GROUND)
            .border_style(GRID)
            .draw()?;
    }
    Ok(())
}

/// A number as an axis tells it.
fn short(number: f64) -> String {
    let scaled = |by: f64, unit: &str| {
        let text = format!("{:.1}", number / by);
        format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
    };
    match number {
        number if number >= 1e6 => scaled(1e6, " M"),
        number if number >= 1e3 => scaled(1e3, " k"),
        _ => scaled(1.0, ""),
    }
}
