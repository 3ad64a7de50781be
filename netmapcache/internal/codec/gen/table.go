package main

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A table is the content of fields.txt: the numbers of all fields that any
// version of the format has had.
type table struct {
	head  []string // comment lines
	lines []*line
}

// A line of a table has the field with its type, its number, and the CDDL of its value:
//
//	tailcfg.Node.StableID 2 str
//
// It begins with "retired" if the field is no longer written.
type line struct {
	typ, field string
	num        int
	form       string
	retired    bool
}

func (l *line) String() string {
	s := fmt.Sprintf("%s.%s %d %s", l.typ, l.field, l.num, l.form)
	if l.retired {
		s = "retired " + s
	}
	return s
}

func parseTable(data []byte) (*table, error) {
	t := new(table)
	sc := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; sc.Scan(); n++ {
		text := sc.Text()
		if strings.HasPrefix(text, "#") || text == "" {
			if len(t.lines) == 0 {
				t.head = append(t.head, text)
			}
			continue
		}
		l, err := parseLine(text)
		if err == nil {
			err = t.conflict(l)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		t.lines = append(t.lines, l)
	}
	return t, sc.Err()
}

func parseLine(text string) (*line, error) {
	l := new(line)
	text, l.retired = strings.CutPrefix(text, "retired ")
	parts := strings.SplitN(text, " ", 3)
	if len(parts) < 3 {
		return nil, fmt.Errorf("want name, number and form, got %q", text)
	}
	dot := strings.LastIndexByte(parts[0], '.')
	if dot < 0 {
		return nil, fmt.Errorf("%q is not a type and a field", parts[0])
	}
	l.typ, l.field, l.form = parts[0][:dot], parts[0][dot+1:], parts[2]
	var err error
	l.num, err = strconv.Atoi(parts[1])
	if err != nil || l.num < 1 {
		return nil, fmt.Errorf("%q is not a field number", parts[1])
	}
	return l, nil
}

// conflict reports an error if a line of t rules l out.
func (t *table) conflict(l *line) error {
	for _, o := range t.lines {
		if o.typ != l.typ {
			continue
		}
		if o.num == l.num {
			return fmt.Errorf("%s.%s and %s.%s have the same number", o.typ, o.field, l.typ, l.field)
		}
		if o.field == l.field && !o.retired && !l.retired {
			return fmt.Errorf("%s.%s has two numbers", o.typ, o.field)
		}
	}
	return nil
}

// number returns the line of a field. If there is none, it appends one.
func (t *table) number(typ, field, form string) (*line, error) {
	next, after := 1, -1
	for i, l := range t.lines {
		if l.typ != typ {
			continue
		}
		next, after = max(next, l.num+1), i
		if l.field != field || l.retired {
			continue
		}
		if l.form != form {
			return nil, fmt.Errorf("%s.%s was stored as %q and would now be %q: retire its number in fields.txt, so that it gets a new one",
				typ, field, l.form, form)
		}
		return l, nil
	}
	l := &line{typ: typ, field: field, num: next, form: form}
	if after < 0 {
		after = len(t.lines) - 1
	}
	t.lines = slices.Insert(t.lines, after+1, l)
	return l, nil
}

func (t *table) bytes() []byte {
	var b bytes.Buffer
	for _, s := range t.head {
		fmt.Fprintln(&b, s)
	}
	for i, l := range t.lines {
		if i > 0 && t.lines[i-1].typ != l.typ {
			fmt.Fprintln(&b)
		}
		fmt.Fprintln(&b, l)
	}
	return b.Bytes()
}
