/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

Test(recorded, stub)
{
    cr_assert(1);
}
