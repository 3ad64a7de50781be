package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
	"gonum.org/v1/gonum/stat"
)

// A name says what a result is of.
type name struct {
	op    string
	peers int
	impl  string
}

func (n name) String() string {
	return fmt.Sprintf("Cache/op=%s/peers=%d/impl=%s", n.op, n.peers, n.impl)
}

// results are the samples of a file.
type results struct {
	config  map[string]string
	samples map[name]map[string][]float64 // by name and unit
}

// readResults reads results in the format of Go's benchmarks.
func readResults(r io.Reader, file string) (*results, error) {
	res := &results{config: map[string]string{}, samples: map[name]map[string][]float64{}}
	reader := benchfmt.NewReader(r, file)
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return nil, rec
		case *benchfmt.Result:
			n, err := parseName(rec.Name)
			if err != nil {
				return nil, err
			}
			if res.samples[n] == nil {
				res.samples[n] = map[string][]float64{}
			}
			for _, v := range rec.Values {
				res.samples[n][v.Unit] = append(res.samples[n][v.Unit], v.Value)
			}
			for _, c := range rec.Config {
				res.config[c.Key] = string(c.Value)
			}
		}
	}
	return res, reader.Err()
}

func parseName(full benchfmt.Name) (n name, err error) {
	_, parts := full.Parts()
	for _, p := range parts {
		switch key, value, _ := strings.Cut(string(p), "="); key {
		case "/op":
			n.op = value
		case "/impl":
			n.impl = value
		case "/peers":
			n.peers, err = strconv.Atoi(value)
		}
	}
	return n, err
}

// peers returns the sizes that were measured, in order.
func (r *results) peers() []int {
	all := map[int]bool{}
	for n := range r.samples {
		all[n.peers] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// value returns the median of what was measured, or NaN.
func (r *results) value(op string, peers int, impl, unit string) float64 {
	return median(r.samples[name{op, peers, impl}][unit])
}

// ratio returns how many times what a spends is what b spends, or NaN.
func (r *results) ratio(op string, peers int, a, b, unit string) float64 {
	return r.value(op, peers, a, unit) / r.value(op, peers, b, unit)
}

// exponent returns how cost grows from 1,000 peers on: as the number of peers to
// the power of the exponent. It is NaN if less than two sizes were measured.
func (r *results) exponent(op, impl, unit string) float64 {
	var x, y []float64
	for _, peers := range r.peers() {
		if v := r.value(op, peers, impl, unit); peers >= 1000 && v > 0 {
			x, y = append(x, math.Log(float64(peers))), append(y, math.Log(v))
		}
	}
	if len(x) < 2 {
		return math.NaN()
	}
	_, slope := stat.LinearRegression(x, y, nil, false)
	return slope
}

// median returns the middle value, or the mean of the two in the middle; NaN if
// there is none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// spread returns half the distance between the least and the greatest value, as
// a part of the median.
func spread(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return (slices.Max(values) - slices.Min(values)) / 2 / median(values)
}
