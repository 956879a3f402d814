"""What people look at: pages that are made here, of the rows and by the functions that the API answers from."""
