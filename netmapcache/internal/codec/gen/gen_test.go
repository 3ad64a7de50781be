//go:build !js

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
	fields, err := os.ReadFile(filepath.Join("..", tableFile))
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate(fields)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not current: run go generate", name)
		}
	}
}

// TestTableChanges generates from tables that differ from the real one, as if
// the types had changed.
func TestTableChanges(t *testing.T) {
	real, err := os.ReadFile(filepath.Join("..", tableFile))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		old, new  string // replacement in the table
		wantErr   string // part of the error, if any
		wantTable string // part of the new table
	}{
		{
			name:      "new field",
			old:       "tailcfg.DNSRecord.Type 2 str\n",
			wantTable: "tailcfg.DNSRecord.Value 3 str\ntailcfg.DNSRecord.Type 4 str\n",
		},
		{
			name:      "new field where the last number is retired",
			old:       "tailcfg.DNSRecord.Value 3 str\n",
			new:       "retired tailcfg.DNSRecord.Gone 3 str\n",
			wantTable: "retired tailcfg.DNSRecord.Gone 3 str\ntailcfg.DNSRecord.Value 4 str\n",
		},
		{
			name:      "field whose old form is retired",
			old:       "tailcfg.DNSRecord.Value 3 str\n",
			new:       "retired tailcfg.DNSRecord.Value 3 bytes\n",
			wantTable: "retired tailcfg.DNSRecord.Value 3 bytes\ntailcfg.DNSRecord.Value 4 str\n",
		},
		{
			name:    "field of another form",
			old:     "tailcfg.DNSRecord.Value 3 str\n",
			new:     "tailcfg.DNSRecord.Value 3 bytes\n",
			wantErr: `tailcfg.DNSRecord.Value was stored as "bytes" and would now be "str"`,
		},
		{
			name:    "field that is gone",
			old:     "tailcfg.DNSRecord.Value 3 str\n",
			new:     "tailcfg.DNSRecord.Value 3 str\ntailcfg.DNSRecord.Gone 4 str\n",
			wantErr: "tailcfg.DNSRecord.Gone is gone",
		},
		{
			name:    "type that is gone",
			old:     "tailcfg.DNSRecord.Value 3 str\n",
			new:     "tailcfg.DNSRecord.Value 3 str\ntailcfg.Gone.Field 1 str\n",
			wantErr: "tailcfg.Gone.Field is gone",
		},
		{
			name:    "number used twice",
			old:     "tailcfg.DNSRecord.Value 3 str\n",
			new:     "tailcfg.DNSRecord.Value 2 str\n",
			wantErr: "tailcfg.DNSRecord.Type and tailcfg.DNSRecord.Value have the same number",
		},
		{
			name:    "number of a retired field used again",
			old:     "tailcfg.DNSRecord.Value 3 str\n",
			new:     "retired tailcfg.DNSRecord.Gone 3 str\ntailcfg.DNSRecord.Value 3 str\n",
			wantErr: "have the same number",
		},
		{
			name:    "field with two numbers",
			old:     "tailcfg.DNSRecord.Value 3 str\n",
			new:     "tailcfg.DNSRecord.Value 3 str\ntailcfg.DNSRecord.Value 4 str\n",
			wantErr: "tailcfg.DNSRecord.Value has two numbers",
		},
		{
			name:    "line without a number",
			old:     "tailcfg.DNSRecord.Value 3 str\n",
			new:     "tailcfg.DNSRecord.Value str\n",
			wantErr: "want name, number and form",
		},
		{
			name:    "number zero",
			old:     "tailcfg.DNSRecord.Value 3 str\n",
			new:     "tailcfg.DNSRecord.Value 0 str\n",
			wantErr: "is not a field number",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !bytes.Contains(real, []byte(tt.old)) {
				t.Fatalf("the table doesn't have %q", tt.old)
			}
			files, err := generate(bytes.Replace(real, []byte(tt.old), []byte(tt.new), 1))
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("got error %v, want %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(files[tableFile], []byte(tt.wantTable)) {
				t.Errorf("the new table doesn't have %q", tt.wantTable)
			}
		})
	}
}
