//go:build !js

package filestore

import (
	"context"
	"io/fs"
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

// at returns the file that name leads to, or nil.
func (d *Disk) at(name string) *content {
	versions := d.names[name]
	if len(versions) == 0 {
		return nil
	}
	return versions[len(versions)-1]
}

// lead makes name lead to c.
func (d *Disk) lead(name string, c *content) {
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

func (d *Disk) prefetch(fs.File) {}

func (d *Disk) open(name string) (file fs.File, err error) {
	err = d.do("open", func() error { file, err = d.reading().Open(name); return err })
	return file, err
}

func (d *Disk) openDir() (dir fs.ReadDirFile, err error) {
	err = d.do("openDir", func() error {
		file, err := d.reading().Open(".")
		dir = file.(fs.ReadDirFile)
		return err
	})
	return dir, err
}

func (d *Disk) lstat(name string) (info fs.FileInfo, err error) {
	err = d.do("lstat", func() error { info, err = d.reading().Lstat(name); return err })
	return info, err
}

func (d *Disk) create(name string) (made file, err error) {
	err = d.do("create", func() error {
		if d.at(name) != nil {
			return fs.ErrExist
		}
		c := &content{}
		d.lead(name, c)
		made = diskFile{d, c}
		return nil
	})
	return made, err
}

func (d *Disk) link(name, newName string) error {
	return d.do("link", func() error {
		c := d.at(name)
		if c == nil {
			return fs.ErrNotExist
		}
		if d.at(newName) != nil {
			return fs.ErrExist
		}
		d.lead(newName, c)
		return nil
	})
}

func (d *Disk) rename(name, newName string) error {
	return d.do("rename", func() error {
		c := d.at(name)
		if c == nil {
			return fs.ErrNotExist
		}
		d.lead(newName, c)
		d.lead(name, nil)
		return nil
	})
}

func (d *Disk) remove(name string) error {
	return d.do("remove", func() error {
		if d.at(name) == nil {
			return fs.ErrNotExist
		}
		d.lead(name, nil)
		return nil
	})
}

func (d *Disk) syncDir() error {
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
func (d *Disk) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case <-d.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	<-d.turn
	if d.at(lockName) == nil {
		d.lead(lockName, &content{})
	}
	d.turn <- struct{}{}
	return func() { d.free <- struct{}{} }, nil
}

func (d *Disk) close() error { return nil }

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
