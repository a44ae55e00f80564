// Bytes, one after the other: values are short.
#include <string.h>

void *memcpy(void *to, const void *from, size_t size) {
  unsigned char *out = to;
  const unsigned char *in = from;
  for (size_t i = 0; i < size; i++) out[i] = in[i];
  return to;
}

void *memset(void *to, int byte, size_t size) {
  unsigned char *out = to;
  for (size_t i = 0; i < size; i++) out[i] = (unsigned char)byte;
  return to;
}

int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *left = a, *right = b;
  for (size_t i = 0; i < size; i++) {
    if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
  }
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}
