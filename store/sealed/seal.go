package sealed

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/netmapcache/netmapcache/store"
	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/chacha20poly1305"
)

const (
	nonceSize = chacha20poly1305.NonceSizeX
	tagSize   = chacha20.NonceSizeX // of a name: the tag is the nonce
)

var encoding = base64.RawURLEncoding.Strict()

// maxShort is the length in bytes of the longest name that fits into a stored
// name, beside its tag.
var maxShort = encoding.DecodedLen(store.MaxKeyLen) - tagSize

// keys are the keys derived from the key of a store.
type keys struct {
	values  cipher.AEAD
	tagKey  []byte
	nameKey []byte
}

func deriveKeys(key []byte) (*keys, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key has %d bytes, not %d", len(key), KeySize)
	}
	var derived [3][]byte
	for i, purpose := range [...]string{"values", "tags of names", "names"} {
		var err error
		derived[i], err = hkdf.Expand(sha256.New, key, "netmapcache sealed store 1, "+purpose, KeySize)
		if err != nil {
			return nil, err
		}
	}
	values, err := chacha20poly1305.NewX(derived[0])
	if err != nil {
		return nil, err
	}
	return &keys{values, derived[1], derived[2]}, nil
}

// isShort reports whether name is kept in the stored name.
func isShort(name string) bool { return 0 < len(name) && len(name) <= maxShort }

// sealName returns the name under which name is stored. For an invalid name that is a name
// under which nothing is stored.
func (k *keys) sealName(name string) string {
	sealed := k.tag(name)
	if isShort(name) {
		sealed = append(sealed, k.cryptName(sealed, []byte(name))...)
	}
	return encoding.EncodeToString(sealed)
}

// openName is the reverse of sealName. It returns false if sealName can't have returned stored.
// The name is empty if stored doesn't contain it.
func (k *keys) openName(stored string) (name string, ok bool) {
	sealed, err := encoding.DecodeString(stored)
	if err != nil || len(sealed) < tagSize {
		return "", false
	}
	tag := sealed[:tagSize]
	if len(sealed) == tagSize {
		return "", true // as far as it can be told without the value
	}
	name = string(k.cryptName(tag, sealed[tagSize:]))
	return name, isShort(name) && hmac.Equal(tag, k.tag(name))
}

func (k *keys) tag(name string) []byte {
	mac := hmac.New(sha256.New, k.tagKey)
	mac.Write([]byte(name))
	return mac.Sum(nil)[:tagSize]
}

// cryptName encrypts or decrypts name.
func (k *keys) cryptName(tag, name []byte) []byte {
	stream, err := chacha20.NewUnauthenticatedCipher(k.nameKey, tag)
	if err != nil {
		panic(err) // only of keys and nonces of wrong sizes
	}
	result := make([]byte, len(name))
	stream.XORKeyStream(result, name)
	return result
}

// seal returns e as it is stored.
func (k *keys) seal(e store.Entry) store.Entry {
	stored := k.sealName(e.Key)
	plain := e.Value
	if !isShort(e.Key) {
		plain = bytes.Join([][]byte{{byte(len(e.Key))}, []byte(e.Key), e.Value}, nil)
	}
	value := make([]byte, nonceSize, nonceSize+len(plain)+k.values.Overhead())
	rand.Read(value)
	return store.Entry{Key: stored, Value: k.values.Seal(value, value, plain, []byte(stored))}
}

// open returns the value that is sealed in value, if that was stored under stored. It overwrites value.
func (k *keys) open(stored string, value []byte) ([]byte, error) {
	if encoding.DecodedLen(len(stored)) == tagSize {
		_, plain, err := k.openLong(stored, value)
		return plain, err
	}
	return k.openValue(stored, value)
}

// openLong is open for a name that is kept in front of the value.
func (k *keys) openLong(stored string, value []byte) (name string, plain []byte, err error) {
	plain, err = k.openValue(stored, value)
	if err != nil {
		return "", nil, err
	}
	if len(plain) == 0 || len(plain) <= int(plain[0]) {
		return "", nil, damaged(stored)
	}
	end := 1 + int(plain[0])
	return string(plain[1:end]), plain[end:], nil
}

func (k *keys) openValue(stored string, value []byte) ([]byte, error) {
	if len(value) < nonceSize {
		return nil, damaged(stored)
	}
	nonce, sealed := value[:nonceSize], value[nonceSize:]
	plain, err := k.values.Open(sealed[:0], nonce, sealed, []byte(stored))
	if err != nil {
		return nil, damaged(stored)
	}
	return plain, nil
}

func damaged(stored string) error {
	return fmt.Errorf("sealed: value of %q: %w", stored, store.ErrDamaged)
}
