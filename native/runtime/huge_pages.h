// Large outputs on large pages: a fresh 34 MB array is 8,192 page faults at 4 KB and 16 at 2 MB.
#pragma once

#include <cstddef>

namespace evenkeel {

// Asks the system to back the whole 2 MB pages inside [data, data + bytes) with large pages. A hint:
// contents and validity do not change, and where there is no such thing nothing happens.
void prefer_huge_pages(void* data, std::size_t bytes);

// Has the system put the small pages that [data, data + bytes) lies on together into large ones, with what else is
// there. It copies them, so this is for memory that is used again and again. Contents and addresses stay. Nothing
// happens before Linux 6.1, where large pages are switched off, or where part of a large page belongs to nobody.
void gather_huge_pages(void* data, std::size_t bytes);

}  // namespace evenkeel
