package report

import (
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Plot writes a bar chart of the ratios as SVG.
func (r *Run) Plot(w io.Writer) error {
	p := plot.New()
	p.Title.Text = "Processor time of one piece of work, floor = 1 (less is better)"
	p.Legend.Top = true
	colors := map[string]color.Color{
		"floor": color.Gray{0xb0}, "wxpay": color.RGBA{0x07, 0xa0, 0x4b, 0xff}, "official": color.RGBA{0x33, 0x66, 0xcc, 0xff}, "gopay": color.RGBA{0xdd, 0x88, 0x22, 0xff},
	}
	const width = 18
	var labels []string
	for _, work := range works {
		labels = append(labels, map[string]string{
			"Feed": "feed", "Order": "order", "Notify": "notification", "Handle": "handler", "Transfer": "transfer", "Upload": "upload", "Loopback": "64 at once, TLS",
		}[work.name])
	}
	for i, who := range contestants {
		var values plotter.Values
		for _, work := range works {
			values = append(values, r.Ratio(work.rsa, work.bench+"/"+who, work.bench+"/floor", work.unit).Median)
		}
		bars, err := plotter.NewBarChart(values, vg.Points(width))
		if err != nil {
			return err
		}
		bars.Color = colors[who]
		bars.LineStyle.Width = 0
		bars.Offset = vg.Points(width * (float64(i) - float64(len(contestants)-1)/2))
		p.Add(bars)
		p.Legend.Add(names[who], bars)
	}
	p.NominalX(labels...)
	p.Y.Min, p.Y.Max = 0, p.Y.Max*1.35 // room for the legend
	svg, err := p.WriterTo(20*vg.Centimeter, 9*vg.Centimeter, "svg")
	if err != nil {
		return err
	}
	_, err = svg.WriteTo(w)
	return err
}
