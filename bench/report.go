package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// reportFile prints what the results in file say, and writes it into the
// directory docs unless that is "".
func reportFile(w io.Writer, file, docs string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := readResults(f, file)
	if err != nil {
		return err
	}
	if len(r.samples) == 0 {
		return fmt.Errorf("%s: no results", file)
	}
	for _, s := range sections {
		if text := s.text(r); s.title != "" && text != "" {
			fmt.Fprintf(w, "\n%s\n\n%s", s.title, text)
		}
	}
	fmt.Fprintf(w, "\nEach figure is a median; ± tells half the distance between the least and the greatest. Samples are in %s.\n", file)
	if docs == "" {
		return nil
	}
	if err := writeDocs(r, docs); err != nil {
		return err
	}
	samples, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "performance", "samples.txt"), samples, 0666)
}

// writeDocs draws the pictures, and puts the tables between their marks in
// performance.md.
func writeDocs(r *results, docs string) error {
	pictures := filepath.Join(docs, "performance")
	if err := os.MkdirAll(pictures, 0777); err != nil {
		return err
	}
	if err := drawAll(r, pictures); err != nil {
		return err
	}
	path := filepath.Join(docs, "performance.md")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := string(data)
	for _, s := range sections {
		if text, err = replaceSection(text, s.id, s.text(r)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return os.WriteFile(path, []byte(text), 0666)
}

// replaceSection returns text with what is between the marks of id replaced.
func replaceSection(text, id, content string) (string, error) {
	begin, end := "<!-- bench "+id+" -->\n", "<!-- end "+id+" -->\n"
	before, rest, ok := strings.Cut(text, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", errors.New("no place that begins with " + strings.TrimSpace(begin) + " and ends with " + strings.TrimSpace(end))
	}
	return before + begin + content + end + after, nil
}
