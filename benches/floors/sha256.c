// SHA-256 (FIPS 180-4), plainly: no instructions that WebAssembly could not have.

#include <string.h>

#include "floor.h"

static const uint32_t ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotated(uint32_t word, int bits) { return word >> bits | word << (32 - bits); }

static uint32_t word_at(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void add_block(uint32_t state[8], const unsigned char *block) {
    uint32_t w[64];
    for (int n = 0; n < 16; n++) w[n] = word_at(block + 4 * n);
    for (int n = 16; n < 64; n++) {
        uint32_t a = rotated(w[n - 15], 7) ^ rotated(w[n - 15], 18) ^ w[n - 15] >> 3;
        uint32_t b = rotated(w[n - 2], 17) ^ rotated(w[n - 2], 19) ^ w[n - 2] >> 10;
        w[n] = w[n - 16] + a + w[n - 7] + b;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int n = 0; n < 64; n++) {
        uint32_t high = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
        uint32_t first = h + high + ((e & f) ^ (~e & g)) + ROUND[n] + w[n];
        uint32_t low = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
        uint32_t second = low + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + first;
        d = c, c = b, b = a, a = first + second;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

char *append_sha256(char *out, const char *bytes, size_t length) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const unsigned char *block = (const unsigned char *)bytes;
    size_t left = length;
    for (; left >= 64; left -= 64, block += 64) add_block(state, block);
    // The rest, a one bit, zeros, and the length in bits fill one block or two.
    unsigned char last[128] = {0};
    size_t size = left < 56 ? 64 : 128;
    memcpy(last, block, left);
    last[left] = 0x80;
    for (int n = 0; n < 8; n++) last[size - 1 - n] = (unsigned char)((uint64_t)length * 8 >> 8 * n);
    for (size_t at = 0; at < size; at += 64) add_block(state, last + at);
    for (int n = 0; n < 64; n++) {
        *out++ = "0123456789abcdef"[state[n / 8] >> (28 - n % 8 * 4) & 15];
    }
    return out;
}
