// Package webkey keeps the key of a sealed store in a browser (GOOS=js GOARCH=wasm).
//
// WebCrypto makes an AES-256-GCM key that nobody can export. IndexedDB keeps this key,
// together with the store's key, which is encrypted under it. When the
// program loads the store's key, WebCrypto decrypts it.
//
// This protects the database of the sealed store if it is copied, exported or
// synchronised alone. It also protects it together with the bytes that this
// package stores, as long as the browser's own record of the WebCrypto key is missing. Once the
// key's database is deleted, nobody can read what was sealed, as far as
// the browser and the disk really delete.
//
// It doesn't protect from scripts of the origin, which can have the store's key decrypted
// as well. Nor does it protect from somebody who can read the browser's profile on disk, because
// the WebCrypto key is there too: Chromium 156 writes it in the clear. Against that,
// only the disk's encryption helps.
package webkey
