package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"
	"github.com/netmapcache/netmapcache/store"
	"github.com/spf13/cobra"
)

func dumpCommand() *cobra.Command {
	var raw bool
	cmd := &cobra.Command{
		Use:   "dump SOURCE [PREFIX]",
		Short: "Print what is stored in CBOR diagnostic notation",
		Long: `Print the values whose keys begin with PREFIX, or all values, in CBOR diagnostic
notation (RFC 8949, section 8). Comments between slashes give the names of fields
and the meaning of bytes. What isn't CBOR is printed as JSON text or in
hexadecimal.`,
		Example: `  netmapcache dump DIR self      # the root
  netmapcache dump DIR peers-0.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := open(cmd, args[0])
			if err != nil {
				return err
			}
			values, err := src.values(cmd, strings.Join(args[1:], ""))
			if err != nil {
				return err
			}
			var status error
			for _, v := range values {
				if v.err != nil {
					status = errDamaged
					fmt.Fprintf(out(cmd), "# %s: %s\n\n", short(v.key), plain(v.err.Error()))
					continue
				}
				fmt.Fprintf(out(cmd), "# %s, %d bytes\n", short(v.key), len(v.data))
				fmt.Fprintf(out(cmd), "%s\n\n", diagnose(v.key, v.data, raw))
			}
			return status
		},
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "omit names and indentation, for other programs")
	return cmd
}

// stored is what is stored under a key, or why it can't be read.
type stored struct {
	key  string
	data []byte
	err  error
}

// values returns what is stored under the keys that begin with prefix, at one moment.
func (s *source) values(cmd *cobra.Command, prefix string) (values []stored, err error) {
	err = s.settled(cmd.Context(), func([]byte) error {
		values = nil
		for key, err := range s.store.List(cmd.Context(), prefix) {
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			data, err := s.store.Load(cmd.Context(), key)
			if !errors.Is(err, store.ErrKeyNotFound) { // otherwise it was removed meanwhile
				values = append(values, stored{key, data, err})
			}
		}
		return cmd.Context().Err()
	})
	return values, err
}

// The default limits for arrays and maps are lower than what large networks need.
var diagnostic, _ = cbor.DiagOptions{MaxArrayElements: 1 << 26, MaxMapPairs: 1 << 26}.DiagMode()

// diagnose returns data, the value of key, in a form for people.
func diagnose(key string, data []byte, raw bool) string {
	if text, err := diagnostic.Diagnose(data); err == nil && raw {
		return plain(text)
	} else if err == nil {
		var p printer
		p.item(data, keyType(key), 0)
		return p.String()
	}
	if json.Valid(data) {
		return plain(string(data))
	}
	return fmt.Sprintf("h'%x'", data)
}

// A printer writes CBOR in diagnostic notation, indented and with comments.
type printer struct{ strings.Builder }

// item writes the first item of data, which is well-formed and of type typ, and returns the rest of data.
func (p *printer) item(data []byte, typ string, depth int) []byte {
	typ = strings.TrimSuffix(typ, " / null")
	major, n, rest, _ := cborHead(data)
	switch {
	case major == majorArray && n > 0 && typ != "time":
		p.list("[", "]", n, depth, func(i int) {
			rest = p.item(rest, format().element(typ, i), depth+1)
		})
		return rest
	case major == majorMap && n > 0:
		p.list("{", "}", n, depth, func(int) {
			key, value, _ := diagnostic.DiagnoseFirst(rest)
			entry := format().entry(typ, key)
			p.WriteString(plain(key))
			if entry.name != "" {
				p.WriteString(" /" + entry.name + "/")
			}
			p.WriteString(": ")
			rest = p.item(value, entry.typ, depth+1)
		})
		return rest
	}
	text, after, _ := diagnostic.DiagnoseFirst(data)
	p.WriteString(plain(text))
	if m := meaning(typ, data[:len(data)-len(after)]); m != "" {
		p.WriteString(" /" + plain(m) + "/")
	}
	return after
}

// list writes n elements on lines of their own.
func (p *printer) list(begin, end string, n uint64, depth int, element func(i int)) {
	p.WriteString(begin)
	for i := range int(n) {
		p.WriteString("\n" + strings.Repeat("  ", depth+1))
		element(i)
		if uint64(i) < n-1 {
			p.WriteString(",")
		}
	}
	p.WriteString("\n" + strings.Repeat("  ", depth) + end)
}
