#!/bin/sh
# Called by udhcpc with the lease in the environment; lan.ts reads this line and sets the address itself.
if [ "$1" = bound ] || [ "$1" = renew ]; then
  echo "lease ip=$ip mask=${mask:-24} router=${router%% *} seconds=${lease:-3600}"
fi
exit 0
