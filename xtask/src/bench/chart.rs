//! Lines over two axes, as a picture that a browser shows (SVG).

use std::fmt::Display;

use anyhow::anyhow;
use plotters::prelude::*;

const SIZE: (u32, u32) = (760, 380);
const INK: [RGBColor; 6] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(255, 127, 14),
    RGBColor(23, 190, 207),
];

/// What a picture shows. Both axes are logarithmic: rates and times grow by factors.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// Part of the file's name.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What goes to the right, and what up.
    pub(crate) axes: [&'static str; 2],
    pub(crate) lines: Vec<Line>,
}

/// The points of one line, from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Chart {
    /// The picture.
    pub(crate) fn svg(&self) -> anyhow::Result<String> {
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        let [x, y] = [self.span(|point| point.0), self.span(|point| point.1)];
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d(x.log_scale(), y.log_scale())
            .map_err(failed)?;
        let mut mesh = chart.configure_mesh();
        mesh.x_desc(self.axes[0]).y_desc(self.axes[1]).draw().map_err(failed)?;
        for (line, ink) in self.lines.iter().zip(INK.iter().cycle()) {
            let drawn =
                chart.draw_series(LineSeries::new(line.points.clone(), ink.stroke_width(2)));
            let key = move |(x, y)| PathElement::new([(x, y), (x + 16, y)], ink.stroke_width(2));
            drawn.map_err(failed)?.label(&line.name).legend(key);
            let dots = line.points.iter().map(|point| Circle::new(*point, 3, ink.filled()));
            chart.draw_series(dots).map_err(failed)?;
        }
        let mut labels = chart.configure_series_labels();
        labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.8));
        labels.border_style(BLACK.mix(0.2)).draw().map_err(failed)?;
        area.present().map_err(failed)?;
        drop((chart, area));
        Ok(svg)
    }

    /// From the smallest to the largest of what is shown, with a little room.
    fn span(&self, of: impl Fn(&(f64, f64)) -> f64) -> std::ops::Range<f64> {
        let points = self.lines.iter().flat_map(|line| line.points.iter().map(&of));
        let (low, high) = points
            .filter(|value| *value > 0.0)
            .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if low.is_finite() { low * 0.8..high * 1.25 } else { 1.0..10.0 }
    }
}

fn failed(error: impl Display) -> anyhow::Error {
    anyhow!("drawing: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_names_its_lines_and_axes() {
        let points = vec![(1.0, 2.0), (10.0, 30.0)];
        let lines = vec![Line { name: "reads".to_owned(), points }];
        let axes = ["a second", "p99 ms"];
        let chart = Chart { name: "rates", title: "Rates", axes, lines };

        let svg = chart.svg().unwrap();

        for shown in ["<svg", "Rates", "reads", "a second", "p99 ms", "</svg>"] {
            assert!(svg.contains(shown), "{shown}: {svg}");
        }
    }
}
