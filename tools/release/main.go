// Command release checks what a release would be:
//
//	go run ./release versions   # whether all that names the version of the next release names the same
//	go run ./release check      # whether strangers can install it, by the oldest and the newest Go that are promised
//
// It runs in the folder tools. The version is that of web/cache/package.json.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"
)

// root is the folder of the repository.
const root = ".."

// library is the path of the root's module, with which those of the others begin.
const library = "github.com/netmapcache/netmapcache"

// published names the folders of the modules that are released, each after those that it requires.
var published = []string{".", "store/etcdstore", "client", "cmd/netmapcache"}

func modulePath(folder string) string { return path.Join(library, folder) }

func main() {
	log.SetFlags(0)
	log.SetPrefix("release: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: release versions | check")
	}
	version, err := releaseVersion()
	if err == nil {
		switch os.Args[1] {
		case "versions":
			err = checkVersions(version)
		case "check":
			err = checkRelease(version)
		default:
			err = fmt.Errorf("%q is neither versions nor check", os.Args[1])
		}
	}
	if err != nil {
		log.Fatal(err)
	}
}

// releaseVersion returns the version of the next release, such as 0.2.0.
func releaseVersion() (string, error) {
	var pkg struct{ Version string }
	data, err := os.ReadFile(filepath.Join(root, "web/cache/package.json"))
	if err != nil {
		return "", err
	}
	err = json.Unmarshal(data, &pkg)
	return pkg.Version, err
}

// checkVersions compares all that names the version with web/cache/package.json.
func checkVersions(version string) error {
	var wrong []string
	expect := func(where, got, want string) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s says %q, want %q", where, got, want))
		}
	}

	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	if newest := regexp.MustCompile(`(?m)^## (\d\S*)`).FindSubmatch(changelog); newest == nil {
		wrong = append(wrong, "CHANGELOG.md has no version")
	} else {
		expect("the newest section of CHANGELOG.md", string(newest[1]), version)
	}

	for _, folder := range published {
		name := filepath.Join(root, folder, "go.mod")
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		mod, err := modfile.Parse(name, data, nil)
		if err != nil {
			return err
		}
		expect(name, mod.Module.Mod.Path, modulePath(folder))
		for _, r := range mod.Require {
			if r.Mod.Path == library || strings.HasPrefix(r.Mod.Path, library+"/") {
				expect(name+" for "+r.Mod.Path, r.Mod.Version, "v"+version)
			}
		}
		// Replacements hold where they are written only: whoever requires the module doesn't get them, and go install refuses it.
		for _, r := range mod.Replace {
			wrong = append(wrong, fmt.Sprintf("%s replaces %s", name, r.Old.Path))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the version is %s by web/cache/package.json, but\n\t%s", version, strings.Join(wrong, "\n\t"))
	}
	return nil
}
