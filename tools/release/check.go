package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// newestGo is the newest Go that docs/versions.md promises. The oldest is what go.mod asks for.
const newestGo = "go1.27.4"

// programs has one for each package that is tried.
//
//go:embed testdata
var programs embed.FS

func say(format string, args ...any) { fmt.Printf("\n-- "+format+"\n", args...) }

// checkRelease makes of the commit that is checked out what a release would publish, and uses it as strangers would, in empty folders.
func checkRelease(version string) error {
	if err := checkVersions(version); err != nil {
		return err
	}
	if changed, err := (&stranger{dir: root}).output("git status --porcelain"); err != nil {
		return err
	} else if changed != "" {
		return fmt.Errorf("what isn't committed would be left out:\n%s", changed)
	}
	tmp, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	say("a Go module proxy with %d modules of version %s", len(published), version)
	proxy := filepath.Join(tmp, "proxy")
	for _, folder := range published {
		if err := publish(proxy, folder, "v"+version); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	parsed, err := modfile.Parse("go.mod", mod, nil)
	if err != nil {
		return err
	}
	for _, toolchain := range []string{"go" + parsed.Go.Version, newestGo} {
		if err := tryGo(tmp, proxy, toolchain, version); err != nil {
			return fmt.Errorf("%s: %w", toolchain, err)
		}
	}
	if err := tryNPM(tmp, version); err != nil {
		return err
	}
	say("strangers can install version %s", version)
	return nil
}

// publish puts a module into a proxy, which is a folder of files, as it would be made of a tag at the commit that is checked out.
func publish(proxy, folder, version string) error {
	mod := module.Version{Path: modulePath(folder), Version: version}
	dir := filepath.Join(proxy, mod.Path, "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{version, time.Now().UTC()})
	if err != nil {
		return err
	}
	goMod, err := os.ReadFile(filepath.Join(root, folder, "go.mod"))
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": goMod} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	file, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	defer file.Close()
	top, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	subdir := folder
	if folder == "." {
		subdir = ""
	}
	if err := zip.CreateFromVCS(file, mod, top, "HEAD", subdir); err != nil {
		return err
	}
	size, err := file.Seek(0, 1)
	fmt.Printf("%s %s, %d bytes\n", mod.Path, version, size)
	return err
}

// tryGo has one Go get the packages, run programs that use them, and install the command.
func tryGo(tmp, proxy, toolchain, version string) error {
	say("strangers with %s", toolchain)
	here := stranger{env: append(os.Environ(), "GOTOOLCHAIN="+toolchain)}
	out, err := here.output("go env GOROOT GOMODCACHE GOPROXY")
	if err != nil {
		return fmt.Errorf("it can't be had: %w", err)
	}
	have := strings.Fields(out)
	goroot, downloaded, proxies := have[0], have[1], have[2]

	// A cache of modules of its own, since nothing may remember this version. The one of this machine is a proxy for all
	// others. With -trimpath what was compiled before is found again though their folder is another.
	dir := filepath.Join(tmp, toolchain)
	s := stranger{env: append(os.Environ(),
		"GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=-trimpath -modcacherw",
		"PATH="+filepath.Join(goroot, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"GOMODCACHE="+filepath.Join(dir, "mod"), "GOBIN="+filepath.Join(dir, "bin"),
		"GONOSUMDB="+library, "GOPRIVATE=",
		"GOPROXY=file://"+proxy+",file://"+filepath.Join(downloaded, "cache/download")+","+proxies,
	)}

	programs, err := fs.ReadDir(programs, "testdata/go")
	if err != nil {
		return err
	}
	for _, program := range programs {
		s.dir = filepath.Join(dir, program.Name())
		if err := s.tryProgram("testdata/go/"+program.Name(), version); err != nil {
			return fmt.Errorf("%s: %w", program.Name(), err)
		}
	}

	s.dir = dir
	if err := s.run("go install " + modulePath("cmd/netmapcache") + "@latest"); err != nil {
		return err
	}
	got, err := s.output("bin/netmapcache version")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(got, "netmapcache v"+version+" ") {
		return fmt.Errorf("netmapcache version says %q, want v%s", got, version)
	}
	return nil
}

// tryProgram makes a module of a program in an empty folder, and runs the commands in the program's first lines.
func (s *stranger) tryProgram(program, version string) error {
	if err := s.enter(program); err != nil {
		return err
	}
	source, err := os.ReadFile(filepath.Join(s.dir, "main.go"))
	if err != nil {
		return err
	}
	if err := s.run("go mod init example.com/stranger"); err != nil {
		return err
	}
	for line := range strings.Lines(string(source)) {
		command, ok := strings.CutPrefix(line, "//$ ")
		if !ok {
			break
		}
		if err := s.run(strings.TrimSpace(command)); err != nil {
			return err
		}
	}
	got, err := s.output("go list -m -f {{.Version}} " + library)
	if err != nil {
		return err
	}
	if got != "v"+version {
		return fmt.Errorf("got %s, want v%s", got, version)
	}
	return nil
}

// tryNPM installs the npm package, whose file has the version in its name, and runs a program that imports it.
func tryNPM(tmp, version string) error {
	say("the npm package")
	builder := stranger{dir: root}
	if err := builder.run("make --no-print-directory package"); err != nil {
		return err
	}
	tarball, err := filepath.Abs(filepath.Join(root, "dist/netmapcache-"+version+".tgz"))
	if err != nil {
		return err
	}
	say("a stranger with npm")
	s := stranger{dir: filepath.Join(tmp, "npm")}
	if err := s.enter("testdata/npm"); err != nil {
		return err
	}
	return s.run("npm init -y --init-type=module >/dev/null && npm install --no-audit --no-fund " + tarball + " && node main.js")
}

// A stranger runs commands in a folder.
type stranger struct {
	dir string
	env []string // nil for that of this process
}

// enter makes the folder, with the files of a program in it.
func (s *stranger) enter(program string) error {
	files, err := fs.Sub(programs, program)
	if err != nil {
		return err
	}
	return os.CopyFS(s.dir, files)
}

func (s *stranger) command(command string) *exec.Cmd {
	fmt.Println("$", command)
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir, cmd.Env, cmd.Stderr = s.dir, s.env, os.Stderr
	return cmd
}

func (s *stranger) run(command string) error {
	cmd := s.command(command)
	cmd.Stdout = os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

func (s *stranger) output(command string) (string, error) {
	out, err := s.command(command).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", command, err)
	}
	return strings.TrimSpace(string(out)), nil
}
