//go:build !js

package filestore

import (
	"context"
	"io/fs"
	"path/filepath"
	"testing/fstest"
)

// do runs an operation, while no other does.
func (d *Disk) do(op string, run func() error) error {
	<-d.turn
	defer func() { d.turn <- struct{}{} }()
	if d.Hook != nil {
		if err := d.Hook(op, false); err != nil {
			return &fs.PathError{Op: op, Path: "disk", Err: err}
		}
	}
	if err := run(); err != nil {
		return &fs.PathError{Op: op, Path: "disk", Err: err}
	}
	if d.Hook != nil {
		if err := d.Hook(op, true); err != nil {
			return &fs.PathError{Op: op, Path: "disk", Err: err}
		}
	}
	return nil
}

// at returns the file that path leads to, or nil.
func (d *Disk) at(path string) *content {
	versions := d.names[filepath.Base(path)]
	if len(versions) == 0 {
		return nil
	}
	return versions[len(versions)-1]
}

// lead makes path lead to c.
func (d *Disk) lead(path string, c *content) {
	name := filepath.Base(path)
	if d.names[name] == nil {
		d.names[name] = []*content{nil}
	}
	d.names[name] = append(d.names[name], c)
}

// reading returns what d holds, to be read with the functions of package fs.
func (d *Disk) reading() fstest.MapFS {
	m := make(fstest.MapFS)
	for name, data := range d.files() {
		m[name] = &fstest.MapFile{Data: data, Mode: 0600}
	}
	return m
}

func (d *Disk) checkOwner(string) error { return nil }

func (d *Disk) prefetch(string) {}

func (d *Disk) readFile(path string) (value []byte, err error) {
	err = d.do("readFile", func() error { value, err = d.reading().ReadFile(filepath.Base(path)); return err })
	return value, err
}

func (d *Disk) readDir(path string) (files []fs.DirEntry, err error) {
	err = d.do("readDir", func() error { files, err = d.reading().ReadDir("."); return err })
	return files, err
}

func (d *Disk) stat(path string) (info fs.FileInfo, err error) {
	err = d.do("stat", func() error { info, err = d.reading().Stat(filepath.Base(path)); return err })
	return info, err
}

func (d *Disk) lstat(path string) (fs.FileInfo, error) { return d.stat(path) }

func (d *Disk) create(path string) (made file, err error) {
	err = d.do("create", func() error {
		if d.at(path) != nil {
			return fs.ErrExist
		}
		c := &content{}
		d.lead(path, c)
		made = diskFile{d, c}
		return nil
	})
	return made, err
}

func (d *Disk) link(path, newPath string) error {
	return d.do("link", func() error {
		c := d.at(path)
		if c == nil {
			return fs.ErrNotExist
		}
		if d.at(newPath) != nil {
			return fs.ErrExist
		}
		d.lead(newPath, c)
		return nil
	})
}

func (d *Disk) rename(path, newPath string) error {
	return d.do("rename", func() error {
		c := d.at(path)
		if c == nil {
			return fs.ErrNotExist
		}
		d.lead(newPath, c)
		d.lead(path, nil)
		return nil
	})
}

func (d *Disk) remove(path string) error {
	return d.do("remove", func() error {
		if d.at(path) == nil {
			return fs.ErrNotExist
		}
		d.lead(path, nil)
		return nil
	})
}

func (d *Disk) syncDir(string) error {
	return d.do("syncDir", func() error {
		for name, versions := range d.names {
			if now := versions[len(versions)-1]; now != nil {
				d.names[name] = []*content{now}
			} else {
				delete(d.names, name)
			}
		}
		return nil
	})
}

// lock is not an operation for Hook: it changes nothing that matters.
func (d *Disk) lock(ctx context.Context, path string) (unlock func(), err error) {
	select {
	case <-d.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	<-d.turn
	if d.at(path) == nil {
		d.lead(path, &content{})
	}
	d.turn <- struct{}{}
	return func() { d.free <- struct{}{} }, nil
}

// diskFile is an open file.
type diskFile struct {
	disk *Disk
	file *content
}

func (f diskFile) Write(p []byte) (n int, err error) {
	err = f.disk.do("write", func() error {
		f.file.data = append(f.file.data[:len(f.file.data):len(f.file.data)], p...)
		n = len(p)
		return nil
	})
	return n, err
}

func (f diskFile) Sync() error {
	return f.disk.do("sync", func() error { f.file.synced = len(f.file.data); return nil })
}

func (f diskFile) Close() error { return f.disk.do("close", func() error { return nil }) }
