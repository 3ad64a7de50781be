package main

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A picture shows how the cost of an operation grows with the number of peers.
type picture struct {
	file, title string
	op          string
	axis        axis
}

// An axis is the vertical one of a picture.
type axis struct{ unit, label, suffix string }

var (
	cpu   = axis{unitCPU, "processor time of a call", "s"}
	wall  = axis{unitWall, "time of a call", "s"}
	space = axis{unitDisk, "bytes", "B"}
)

var pictures = []picture{
	{"load-cpu", "Load in a new process, page cache warm", opLoadWarm, cpu},
	{"load-dropped-wall", "Load in a new process, page cache dropped", opLoadDropped, wall},
	{"cold-store-cpu", "cold Store", opColdStore, cpu},
	{"cold-store-wall", "cold Store, made durable", opColdDurable, wall},
	{"same-store-cpu", "identical Store, same pointers", opSameStore, cpu},
	{"one-peer-cpu", "one peer changed, full Store", opOneStore, cpu},
	{"update-peers-cpu", "one peer changed, UpdatePeers", opUpdatePeers, cpu},
	{"stored", "blocks taken on disk", opColdStore, space},
}

// series are the lines of a picture.
var series = []struct {
	impl   string
	title  string
	color  color.Color
	dashes []vg.Length
	glyph  draw.GlyphDrawer
}{
	{implUpstream, "upstream", color.RGBA{0xc4, 0x4e, 0x2e, 0xff}, nil, draw.CircleGlyph{}},
	{implOurs, "ours", color.RGBA{0x1f, 0x6f, 0xb4, 0xff}, nil, draw.BoxGlyph{}},
	{implMemory, "ours on memstore", color.RGBA{0x6b, 0xae, 0xd6, 0xff}, nil, draw.TriangleGlyph{}},
	{implBaseline, "baseline", color.Gray{0x60}, []vg.Length{4, 3}, draw.CrossGlyph{}},
}

// picturesText shows the pictures in a document beside their directory.
func picturesText(*results) string {
	t := table{head: []string{"", ""}}
	for i := 0; i < len(pictures); i += 2 {
		cell := func(p picture) string { return fmt.Sprintf("![%s](performance/%s.svg)", p.title, p.file) }
		t.add(cell(pictures[i]), cell(pictures[i+1]))
	}
	return t.String()
}

func drawAll(r *results, dir string) error {
	for _, p := range pictures {
		if err := p.draw(r, filepath.Join(dir, p.file+".svg")); err != nil {
			return fmt.Errorf("%s: %w", p.file, err)
		}
	}
	return nil
}

func (pic picture) draw(r *results, path string) error {
	p := plot.New()
	p.Title.Text, p.Title.Padding = pic.title, 6
	p.X.Label.Text, p.Y.Label.Text = "peers", pic.axis.label
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker = plot.ConstantTicks(sizeTicks(r.peers()))
	p.Y.Tick.Marker = decades{pic.axis.suffix}
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, 2
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xe0}, color.Gray{0xe0}
	p.Add(grid)
	for _, s := range series {
		var points plotter.XYs
		for _, peers := range r.peers() {
			if v := r.value(pic.op, peers, s.impl, pic.axis.unit); v > 0 {
				points = append(points, plotter.XY{X: float64(peers), Y: v})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, line.Width, line.Dashes = s.color, 1.5, s.dashes
		marks.Color, marks.Shape, marks.Radius = s.color, s.glyph, 3
		p.Add(line, marks)
		p.Legend.Add(s.title, line, marks)
	}
	if math.IsInf(p.Y.Min, 0) { // nothing was measured
		return nil
	}
	p.Y.Min, p.Y.Max = math.Pow(10, math.Floor(math.Log10(p.Y.Min))), math.Pow(10, math.Ceil(math.Log10(p.Y.Max)))
	for _, t := range []*font.Font{&p.Title.TextStyle.Font, &p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font, &p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font} {
		t.Variant = "Sans"
		t.Size = 11
	}

	const margin = 0.3 * vg.Centimeter
	c := vgsvg.New(13*vg.Centimeter, 9*vg.Centimeter)
	canvas := draw.New(c)
	canvas.SetColor(color.White) // also where the page is dark
	canvas.Fill(canvas.Rectangle.Path())
	p.Draw(draw.Crop(canvas, margin, -margin, margin, -margin))
	var svg strings.Builder
	if _, err := c.WriteTo(&svg); err != nil {
		return err
	}
	// Arial has the measures of Liberation Sans, for which the text was laid out.
	text := strings.ReplaceAll(svg.String(), "font-family:Liberation Sans", "font-family:Liberation Sans,Arial,Helvetica,sans-serif")
	return os.WriteFile(path, []byte(text), 0666)
}

func sizeTicks(peers []int) (ticks []plot.Tick) {
	for _, n := range peers {
		ticks = append(ticks, plot.Tick{Value: float64(n), Label: thousands(n)})
	}
	return ticks
}

// decades marks the powers of ten, in units for people.
type decades struct{ suffix string }

func (d decades) Ticks(least, most float64) (ticks []plot.Tick) {
	for e := math.Floor(math.Log10(least)); e <= math.Ceil(math.Log10(most)); e++ {
		v := math.Pow(10, e)
		number, unit, _ := strings.Cut(scaled(v, d.suffix), " ")
		whole, _, _ := strings.Cut(number, ".")
		ticks = append(ticks, plot.Tick{Value: v, Label: whole + " " + unit})
	}
	return ticks
}
