//go:build linux

package powercut

import (
	"bytes"
	"os"
	"slices"
)

// blockSize is the number of bytes of which a power cut leaves all or none: file systems and
// the page cache write in blocks of this size.
const blockSize = 4096

// An Image is the content of a disk: its own blocks over those of another image. What is in
// neither is zero. Blocks are never changed, only replaced.
type Image struct {
	under  *Image
	blocks map[int64][]byte
}

// over returns an image that is the same as under until it is written to.
func over(under *Image) *Image { return &Image{under, make(map[int64][]byte)} }

var zeros = make([]byte, blockSize)

func (m *Image) block(n int64) []byte {
	for ; m != nil; m = m.under {
		if b, ok := m.blocks[n]; ok {
			return b
		}
	}
	return zeros
}

// A piece is what is written to one block.
type piece struct {
	block  int64
	offset int // in the block
	data   []byte
}

func (m *Image) write(p piece) {
	if len(p.data) == blockSize {
		m.blocks[p.block] = p.data
		return
	}
	b := slices.Clone(m.block(p.block))
	copy(b[p.offset:], p.data)
	m.blocks[p.block] = b
}

// pieces cuts a write at an offset of the disk where blocks end. It copies data.
func pieces(data []byte, offset int64) []piece {
	data = slices.Clone(data)
	var all []piece
	for len(data) > 0 {
		start := int(offset % blockSize)
		n := min(blockSize-start, len(data))
		all = append(all, piece{offset / blockSize, start, data[:n:n]})
		data, offset = data[n:], offset+int64(n)
	}
	return all
}

// read fills dest with what is at an offset of the disk.
func (m *Image) read(dest []byte, offset int64) {
	for len(dest) > 0 {
		n := copy(dest, m.block(offset / blockSize)[offset%blockSize:])
		dest, offset = dest[n:], offset+int64(n)
	}
}

// save writes the image to a file.
func (m *Image) save(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(diskSize); err != nil {
		return err
	}
	for n := range int64(diskSize / blockSize) {
		if b := m.block(n); !bytes.Equal(b, zeros) {
			if _, err := file.WriteAt(b, n*blockSize); err != nil {
				return err
			}
		}
	}
	return nil
}
