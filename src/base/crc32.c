/* CRC-32 as in IEEE 802.3 and zlib, eight bytes at a step. */
#include "base/enc.h"

#include <endian.h>

/* A CRC is linear: the entry of a byte is the XOR of its bits' entries. So eight constants make a table of
 * 256. */
#define BIT(c, i, k) (((c) >> (i)&1u) ? (k) : 0u)
#define ENTRY(c, k0, k1, k2, k3, k4, k5, k6, k7)                                                             \
    (BIT(c, 0, k0) ^ BIT(c, 1, k1) ^ BIT(c, 2, k2) ^ BIT(c, 3, k3) ^ BIT(c, 4, k4) ^ BIT(c, 5, k5) ^         \
     BIT(c, 6, k6) ^ BIT(c, 7, k7))
#define ROW4(c, ...)                                                                                         \
    ENTRY(c, __VA_ARGS__), ENTRY(c + 1, __VA_ARGS__), ENTRY(c + 2, __VA_ARGS__), ENTRY(c + 3, __VA_ARGS__)
#define ROW16(c, ...)                                                                                        \
    ROW4(c, __VA_ARGS__), ROW4(c + 4, __VA_ARGS__), ROW4(c + 8, __VA_ARGS__), ROW4(c + 12, __VA_ARGS__)
#define ROW64(c, ...)                                                                                        \
    ROW16(c, __VA_ARGS__), ROW16(c + 16, __VA_ARGS__), ROW16(c + 32, __VA_ARGS__), ROW16(c + 48, __VA_ARGS__)
#define TABLE(...)                                                                                           \
    {                                                                                                        \
        ROW64(0u, __VA_ARGS__), ROW64(64u, __VA_ARGS__), ROW64(128u, __VA_ARGS__), ROW64(192u, __VA_ARGS__)  \
    }

/* table[k][c]: the CRC of byte c with k zero bytes behind it. */
static const uint32_t table[8][256] = {
    TABLE(0x77073096, 0xEE0E612C, 0x076DC419, 0x0EDB8832, 0x1DB71064, 0x3B6E20C8, 0x76DC4190, 0xEDB88320),
    TABLE(0x191B3141, 0x32366282, 0x646CC504, 0xC8D98A08, 0x4AC21251, 0x958424A2, 0xF0794F05, 0x3B83984B),
    TABLE(0x01C26A37, 0x0384D46E, 0x0709A8DC, 0x0E1351B8, 0x1C26A370, 0x384D46E0, 0x709A8DC0, 0xE1351B80),
    TABLE(0xB8BC6765, 0xAA09C88B, 0x8F629757, 0xC5B428EF, 0x5019579F, 0xA032AF3E, 0x9B14583D, 0xED59B63B),
    TABLE(0x3D6029B0, 0x7AC05360, 0xF580A6C0, 0x30704BC1, 0x60E09782, 0xC1C12F04, 0x58F35849, 0xB1E6B092),
    TABLE(0xCB5CD3A5, 0x4DC8A10B, 0x9B914216, 0xEC53826D, 0x03D6029B, 0x07AC0536, 0x0F580A6C, 0x1EB014D8),
    TABLE(0xA6770BB4, 0x979F1129, 0xF44F2413, 0x33EF4E67, 0x67DE9CCE, 0xCFBD399C, 0x440B7579, 0x8816EAF2),
    TABLE(0xCCAA009E, 0x4225077D, 0x844A0EFA, 0xD3E51BB5, 0x7CBB312B, 0xF9766256, 0x299DC2ED, 0x533B85DA),
};

uint32_t crc32_ieee(const void *p, size_t n)
{
    const unsigned char *at = p;
    uint32_t crc = 0xFFFFFFFFu;
    for (; n >= 8; n -= 8, at += 8) {
        uint64_t v;
        memcpy(&v, at, 8);
        v = le64toh(v) ^ crc;
        crc = table[7][v & 255] ^ table[6][v >> 8 & 255] ^ table[5][v >> 16 & 255] ^ table[4][v >> 24 & 255] ^
              table[3][v >> 32 & 255] ^ table[2][v >> 40 & 255] ^ table[1][v >> 48 & 255] ^ table[0][v >> 56];
    }
    for (; n > 0; n--, at++)
        crc = table[0][(crc ^ *at) & 255] ^ crc >> 8;
    return ~crc;
}
