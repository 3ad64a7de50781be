//go:build !js

package idbstore

import (
	"errors"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"testing"
)

// TestSameDocumentation: what the package exports, and says of it, is the same everywhere.
func TestSameDocumentation(t *testing.T) {
	here, browser := exported(t, "linux", "amd64"), exported(t, "js", "wasm")
	if !maps.Equal(here, browser) || len(here) == 0 {
		t.Errorf("exported here:\n%v\nand with GOOS=js:\n%v", here, browser)
	}
}

// exported returns the signature and the documentation of each exported function,
// method and type.
func exported(t *testing.T, goos, goarch string) map[string]string {
	target := build.Default
	target.GOOS, target.GOARCH = goos, goarch
	pkg, err := target.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, name := range pkg.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				receiver := ""
				if d.Recv != nil {
					receiver = types.ExprString(d.Recv.List[0].Type) + "."
				}
				if d.Name.IsExported() && (receiver == "" || receiver == "*Store.") {
					found[receiver+d.Name.Name] = types.ExprString(d.Type) + "\n" + d.Doc.Text()
				}
			case *ast.GenDecl:
				if spec, ok := d.Specs[0].(*ast.TypeSpec); ok && spec.Name.IsExported() {
					found[spec.Name.Name] = d.Doc.Text()
				}
			}
		}
	}
	return found
}

func TestUnsupported(t *testing.T) {
	if s, err := Open(t.Context(), "any"); s != nil || !errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("Open = %v, %v, want ErrUnavailable and errors.ErrUnsupported", s, err)
	}
}
