//go:build !js

package codec

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/tailcfg"
)

func readCDDL(t *testing.T) cddl {
	t.Helper()
	text, err := os.ReadFile("../../../docs/format.cddl")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := parseCDDL(string(text))
	if err != nil {
		t.Fatalf("format.cddl: %v", err)
	}
	return rules
}

func TestConformsToCDDL(t *testing.T) {
	rules := readCDDL(t)
	forEach(t, 200, func(t *testing.T, c column, v any) {
		data := c.append(nil, v)
		if err := rules.check(c.rule, generic(t, data)); err != nil {
			t.Errorf("%v\n%s", err, diagnose(data))
		}
	})

	nm := netmaptest.Realistic(200, 1)
	var ids []tailcfg.UserID
	for id := range nm.UserProfiles {
		ids = append(ids, id)
	}
	root := AppendRoot([]byte{majorArray | 2}, &format.Root{Major: format.Major})
	for rule, data := range map[string][]byte{
		"content":     AppendPeers(nil, nm.Peers),
		"node":        AppendNode(nil, nm.SelfNode),
		"dns-config":  AppendDNS(nil, &nm.DNS),
		"derp-map":    AppendDERPMap(nil, nm.DERPMap),
		"filter":      AppendFilter(nil, nm.PacketFilterRules.AsSlice()),
		"ssh-policy":  AppendSSH(nil, nm.SSHPolicy),
		"users":       AppendUsers(nil, ids, nm.UserProfiles),
		"exported":    AppendExported(nil, [][]byte{root, {0x80}}),
		"sealed-root": append(append(root, majorBytes|format.DigestLen), make([]byte, format.DigestLen)...),
	} {
		if err := rules.check(rule, generic(t, data)); err != nil {
			t.Errorf("realistic netmap: %v", err)
		}
	}
}

// TestCDDLRefuses shows that the test above can fail.
func TestCDDLRefuses(t *testing.T) {
	rules := readCDDL(t)
	for _, tt := range []struct {
		rule  string
		value any
	}{
		{"column", map[any]any{uint64(1): int64(-1)}},
		{"column", map[any]any{uint64(3): make([]byte, 15)}},
		{"column", map[any]any{uint64(3): nil}},
		{"column", map[any]any{"1": uint64(1)}},
		{"column", map[any]any{uint64(100): uint64(1)}},
		{"column", []any{}},
		{"time", []any{uint64(1), uint64(1e9)}},
		{"time", []any{uint64(1)}},
		{"time", []any{uint64(1), uint64(1), uint64(1), uint64(1)}},
		{"addr", make([]byte, 15)},
		{"prefix", make([]byte, 4)},
		{"opt-bool", uint64(1)},
		{"str", true},
		{"peers", []any{map[any]any{}, nil}},
		{"node", map[any]any{uint64(fieldNumbers["tailcfg.Node.CapMap"]): map[any]any{"x": []any{false}}}},
		{"node", map[any]any{int64(-2): "{}"}},
		{"node", map[any]any{int64(-1): []byte("{}")}},
		{"column", map[any]any{int64(-1): "{}"}},
		{"sealed-root", []any{map[any]any{}}},
	} {
		if err := rules.check(tt.rule, tt.value); err == nil {
			t.Errorf("%s accepts %v", tt.rule, tt.value)
		}
	}
}

// A cddl is the rules of a document, as far as format.cddl uses the language.
type cddl map[string]choice

type (
	// A choice matches what any of its alternatives does.
	choice []matcher

	matcher interface {
		match(rules cddl, v any) error
	}

	named    string                  // another rule, or a type of the prelude
	span     struct{ lo, hi uint64 } // integers
	negative int64
	sized    struct { // byte strings of lo to hi bytes
		lo, hi uint64
	}
	list   []entry
	fields []entry

	entry struct {
		optional, repeated bool
		key                choice // nil in lists
		value              choice
	}
)

func (rules cddl) check(rule string, v any) error {
	if err := named(rule).match(rules, v); err != nil {
		return fmt.Errorf("%s: %w", rule, err)
	}
	return nil
}

func (c choice) match(rules cddl, v any) error {
	var errs []error
	for _, m := range c {
		err := m.match(rules, v)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (n named) match(rules cddl, v any) error {
	if c, ok := rules[string(n)]; ok {
		return c.match(rules, v)
	}
	ok := false
	switch n {
	case "uint":
		_, ok = v.(uint64)
	case "int":
		switch v.(type) {
		case uint64, int64:
			ok = true
		}
	case "bool":
		_, ok = v.(bool)
	case "float":
		_, ok = v.(float64)
	case "text":
		_, ok = v.(string)
	case "bytes":
		switch v.(type) {
		case []byte, cbor.ByteString:
			ok = true
		}
	case "null":
		ok = v == nil
	case "any":
		// It stands for the fields of newer versions, of which nothing that
		// we write has any.
		return errors.New("field that is not in the document")
	default:
		return fmt.Errorf("unknown rule %q", string(n))
	}
	if !ok {
		return fmt.Errorf("%T is not a %s", v, string(n))
	}
	return nil
}

func (s span) match(_ cddl, v any) error {
	if n, ok := v.(uint64); !ok || n < s.lo || n > s.hi {
		return fmt.Errorf("%T is not in the range %d to %d", v, s.lo, s.hi)
	}
	return nil
}

func (n negative) match(_ cddl, v any) error {
	if v != int64(n) {
		return fmt.Errorf("%v is not %d", v, n)
	}
	return nil
}

func (s sized) match(_ cddl, v any) error {
	if b, ok := v.([]byte); !ok || uint64(len(b)) < s.lo || uint64(len(b)) > s.hi {
		return fmt.Errorf("%T is not a byte string of %d to %d bytes", v, s.lo, s.hi)
	}
	return nil
}

func (l list) match(rules cddl, v any) error {
	elems, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%T is not an array", v)
	}
	for _, e := range l {
		for n := 0; len(elems) > 0 && (n == 0 || e.repeated); n++ {
			if err := e.value.match(rules, elems[0]); err != nil {
				return fmt.Errorf("element: %w", err)
			}
			elems = elems[1:]
			if !e.repeated {
				e.optional = true
			}
		}
		if !e.optional && !e.repeated {
			return errors.New("array is too short")
		}
	}
	if len(elems) > 0 {
		return errors.New("array is too long")
	}
	return nil
}

func (f fields) match(rules cddl, v any) error {
	m, ok := v.(map[any]any)
	if !ok {
		return fmt.Errorf("%T is not a map", v)
	}
	for k, x := range m {
		err := errors.New("no such key")
		for _, e := range f {
			if e.key.match(rules, k) == nil {
				err = e.value.match(rules, x)
				break
			}
		}
		if err != nil {
			return fmt.Errorf("entry %v: %w", k, err)
		}
	}
	return nil
}

// A cddlParser reads a document token by token.
type cddlParser struct{ tokens []string }

var (
	cddlComment = regexp.MustCompile(`;.*`)
	cddlToken   = regexp.MustCompile(`=>|\.\.|\.[a-z]+|[A-Za-z][A-Za-z0-9-]*|-?[0-9]+|\S`)
)

func parseCDDL(text string) (rules cddl, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	p := &cddlParser{cddlToken.FindAllString(cddlComment.ReplaceAllString(text, ""), -1)}
	rules = cddl{}
	for len(p.tokens) > 0 {
		name := p.next()
		p.want("=")
		if _, ok := rules[name]; ok {
			return nil, fmt.Errorf("two rules %s", name)
		}
		rules[name] = p.choice()
	}
	return rules, nil
}

func (p *cddlParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *cddlParser) next() string {
	s := p.peek()
	p.tokens = p.tokens[1:]
	return s
}

func (p *cddlParser) accept(s string) bool {
	if p.peek() == s {
		p.next()
		return true
	}
	return false
}

func (p *cddlParser) want(s string) {
	if !p.accept(s) {
		panic(fmt.Sprintf("want %q before %q", s, strings.Join(p.tokens[:min(8, len(p.tokens))], " ")))
	}
}

func (p *cddlParser) number() uint64 {
	n, err := strconv.ParseUint(p.next(), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (p *cddlParser) choice() choice {
	c := choice{p.matcher()}
	for p.accept("/") {
		c = append(c, p.matcher())
	}
	return c
}

func (p *cddlParser) matcher() matcher {
	switch s := p.peek(); {
	case p.accept("["):
		return list(p.entries("]"))
	case p.accept("{"):
		return fields(p.entries("}"))
	case s != "" && '0' <= s[0] && s[0] <= '9':
		return p.span()
	case strings.HasPrefix(s, "-"):
		n, err := strconv.ParseInt(p.next(), 10, 64)
		if err != nil {
			panic(err)
		}
		return negative(n)
	}
	name := p.next()
	if !p.accept(".size") {
		return named(name)
	}
	if name != "bytes" {
		panic("size of " + name)
	}
	if !p.accept("(") {
		return sized(p.span())
	}
	s := sized(p.span())
	p.want(")")
	return s
}

// span parses a number, or two with dots between.
func (p *cddlParser) span() span {
	s := span{lo: p.number()}
	s.hi = s.lo
	if p.accept("..") {
		s.hi = p.number()
	}
	return s
}

func (p *cddlParser) entries(end string) []entry {
	var es []entry
	for !p.accept(end) {
		e := entry{repeated: p.accept("*"), optional: p.accept("?"), value: p.choice()}
		if p.accept(":") || p.accept("=>") {
			e.key, e.value = e.value, p.choice()
		}
		es = append(es, e)
		if p.peek() != end {
			p.want(",")
		}
	}
	return es
}
