// Package packets seals bytes as WireGuard does, in packets as large as those that relays carry, so that make bench-client can
// measure how fast these pass when nothing else is done for them.
package packets

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

// Size is how many bytes of plain text a packet holds: the MTU of Tailscale's nodes.
const Size = 1280

// SealedSize is the size of a whole packet.
const SealedSize = Size + chacha20poly1305.Overhead

// period is the number of bytes after which the plain text repeats itself: byte i is i modulo that.
const period = 251

var pattern = func() (p [period + Size]byte) {
	for i := range p {
		p[i] = byte(i % period)
	}
	return p
}()

// A Flow is the packets of a number of bytes, in order. The last may be smaller.
type Flow struct {
	aead   cipher.AEAD
	size   int
	left   int
	nonce  [chacha20poly1305.NonceSize]byte
	sealed [SealedSize]byte
}

// New returns a flow of size bytes, sealed under a key of 32.
func New(key []byte, size int) (*Flow, error) {
	aead, err := chacha20poly1305.New(key)
	return &Flow{aead: aead, size: size, left: size}, err
}

// Left returns how many bytes are still to come.
func (f *Flow) Left() int { return f.left }

// next returns the plain text of the next packet. The nonce counts packets.
func (f *Flow) next() []byte {
	at := f.size - f.left
	binary.LittleEndian.PutUint64(f.nonce[4:], uint64(at/Size))
	plain := pattern[at%period:][:min(Size, f.left)]
	f.left -= len(plain)
	return plain
}

// Seal returns the next packet. It is good until the next call.
func (f *Flow) Seal() []byte {
	plain := f.next()
	return f.aead.Seal(f.sealed[:0], f.nonce[:], plain, nil)
}

var errWrong = errors.New("this isn't the packet that comes next")

// Open takes the next packet, which it overwrites.
func (f *Flow) Open(packet []byte) error {
	want := f.next()
	if got, err := f.aead.Open(packet[:0], f.nonce[:], packet, nil); err != nil || !bytes.Equal(got, want) {
		return errWrong
	}
	return nil
}
